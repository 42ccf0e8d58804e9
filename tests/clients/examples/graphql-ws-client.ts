import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { resuming } from './resuming.ts';
import { STOCK_CHANGED, type StockChange } from './stock-changed.ts';

export function watchOverWebsocket(
  url: string,
  after: string,
  show: (change: StockChange) => void,
): () => void {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket, // not needed in browsers or Node 22+
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
  return resuming(client).subscribe<{ stockChanged: StockChange }>(
    { query: STOCK_CHANGED, variables: { after } },
    {
      next: ({ data }) => data && show(data.stockChanged),
      error: (error) => console.error(error),
      complete: () => {},
    },
  );
}
