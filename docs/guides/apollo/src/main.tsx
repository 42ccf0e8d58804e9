import { ApolloClient, InMemoryCache } from '@apollo/client';
import { ApolloProvider } from '@apollo/client/react';
import { createClient } from '@gudang/client';
import { createLiveLink } from '@gudang/client/apollo';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Stocks } from './stocks.tsx';

const link = createLiveLink(createClient({ url: '/graphql' }));
const client = new ApolloClient({ link, cache: new InMemoryCache() });

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <ApolloProvider client={client}>
      <Stocks />
    </ApolloProvider>
  </StrictMode>,
);
