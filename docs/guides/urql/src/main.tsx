import { createClient } from '@gudang/client';
import { liveExchange } from '@gudang/client/urql';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Client, cacheExchange, Provider } from 'urql';
import { Stocks } from './stocks.tsx';

const url = '/graphql';
const live = liveExchange(createClient({ url }), { enableAllOperations: true });
const client = new Client({ url, exchanges: [cacheExchange, live] });

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <Provider value={client}>
      <Stocks />
    </Provider>
  </StrictMode>,
);
