import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-sse';
import { resuming } from './resuming.ts';
import { STOCK_CHANGED, type StockChange } from './stock-changed.ts';

export function watchOverSse(
  url: string,
  after: string,
  show: (change: StockChange) => void,
): () => void {
  const client = createClient({
    url,
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: () => pause(500 + Math.random() * 500),
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
