import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { resuming } from './resuming.ts';
import { STOCK_CHANGED, type StockChange } from './stock-changed.ts';

export function createUrqlClient(url: string): Client {
  const live = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket, // not needed in browsers or Node 22+
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
  const client = resuming(live);
  const subscriptions = subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => {
        const next = ({ data = null, ...result }) => sink.next({ data, ...result });
        return { unsubscribe: client.subscribe({ query, variables }, { ...sink, next }) };
      },
    }),
  });
  return new Client({ url, exchanges: [cacheExchange, fetchExchange, subscriptions] });
}

export function watchWithUrql(
  client: Client,
  after: string,
  show: (change: StockChange) => void,
): () => void {
  const changes = client.subscription<{ stockChanged: StockChange }>(STOCK_CHANGED, { after });
  return changes.subscribe(({ data }) => data && show(data.stockChanged)).unsubscribe;
}
