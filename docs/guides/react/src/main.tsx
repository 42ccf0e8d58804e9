import { createClient } from '@gudang/client';
import { LiveProvider } from '@gudang/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Stocks } from './stocks.tsx';

const client = createClient({ url: '/graphql' });

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <LiveProvider client={client}>
      <Stocks />
    </LiveProvider>
  </StrictMode>,
);
