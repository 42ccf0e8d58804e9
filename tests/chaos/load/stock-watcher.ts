import { type LiveClient, startLiveClient } from '@gudang/testing/clients/live-client';
import type { StockWatcher } from '../history.ts';

const STOCK_CHANGED = `subscription ($ids: [ID!], $after: String) {
  stockChanged(ids: $ids, after: $after) { kind cursor stock { id quantity version } }
}`;

interface Change {
  readonly stockChanged: {
    readonly kind: string;
    readonly cursor: string;
    readonly stock: { readonly id: string; readonly quantity: number; readonly version: number };
  };
}

export interface RunningStockWatcher {
  readonly watched: () => StockWatcher;
  readonly live: LiveClient<Change>;
  readonly close: () => Promise<void>;
}

/**
 * Starts a subscriber that reconnects after a lost connection and resumes from its last cursor.
 * @param since versions of the stocks at the cursor `after`, by stock id
 * @param after cursor from which the stream starts
 */
export async function startStockWatcher({
  name,
  url,
  since,
  after,
}: {
  name: string;
  url: () => string;
  since: ReadonlyMap<string, number>;
  after: string;
}): Promise<RunningStockWatcher> {
  const ids = [...since.keys()];
  const live = await startLiveClient<Change>({
    url: () => `${url()}/graphql`,
    query: STOCK_CHANGED,
    variables: { ids, after },
    resume: (last) => ({ ids, after: last?.stockChanged.cursor ?? after }),
  });
  const ended = (): string | undefined => {
    const [error] = live.errors() ?? [];
    if (error) return error.message;
    return live.completed() ? 'completed' : undefined;
  };
  return {
    live,
    watched: () => ({
      name,
      since,
      ended: ended(),
      seen: live.seen().map(({ stockChanged: { kind, stock } }) => ({
        stockId: stock.id,
        version: stock.version,
        quantity: stock.quantity,
        kind,
      })),
    }),
    close: live.close,
  };
}
