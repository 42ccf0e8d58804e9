import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { resuming } from './resuming.ts';
import { STOCK_CHANGED, type StockChange } from './stock-changed.ts';

export function createApolloClient(url: string): ApolloClient {
  const live = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket, // not needed in browsers or Node 22+
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(resuming(live)),
      new HttpLink({ uri: url }),
    ),
    cache: new InMemoryCache({
      typePolicies: {
        Stock: { keyFields: ['id'] },
        Order: { keyFields: ['id'] },
        Query: { fields: { stocks: relayStylePagination(['search']) } },
      },
    }),
  });
}

export const STOCKS = gql`query Stocks($first: Int!, $after: String) {
  stockCursor
  stocks(first: $first, after: $after) {
    edges { cursor node { id name quantity version } }
    pageInfo { hasNextPage endCursor hasPreviousPage startCursor }
  }
}`;

/** Apollo Client writes each change to its cache. The cache updates every list that shows the stock. */
export function watchWithApollo(
  client: ApolloClient,
  after: string,
  show: (change: StockChange) => void,
): () => void {
  const changes = client.subscribe<{ stockChanged: StockChange }>({
    query: gql(STOCK_CHANGED),
    variables: { after },
  });
  const watching = changes.subscribe(({ data }) => data && show(data.stockChanged));
  return () => watching.unsubscribe();
}
