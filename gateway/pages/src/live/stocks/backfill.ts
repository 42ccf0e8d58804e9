import type { LiveClient } from '@gudang/client';
import { send } from '../../graph/graph-client.ts';
import { HISTORY_QUERY, type HistoryData } from '../operations.ts';
import { prepend } from './stock-history.ts';
import type { StockStore } from './stock-store.ts';

export interface Backfill {
  /** Queries the history of a stock once. @returns a function that cancels the request */
  readonly request: (id: string, onDone: () => void) => () => void;
}

/**
 * Time for which a row must be visible before its history is queried, in ms. The history of rows
 * that are only scrolled past is thus not queried.
 */
const VISIBLE_MS = 300;

/**
 * Loads from the ledger the quantities that stocks had before the page was opened. It loads them
 * only for visible rows, one row after the other.
 */
export function createBackfill(client: LiveClient, stocks: StockStore): Backfill {
  const requested = new Set<string>();
  let previous: Promise<void> = Promise.resolve();

  const fill = async (id: string): Promise<void> => {
    const { data } = await send<HistoryData>(client, HISTORY_QUERY, { id });
    const history = stocks.get(id)?.history;
    if (!data?.stock || !history) return;
    const points = data.stock.movements.nodes.map(({ at, quantityAfter }) => ({
      at: Date.parse(at) / 1000,
      quantity: quantityAfter,
    }));
    prepend(history, points);
  };

  return {
    request: (id, onDone) => {
      let isCancelled = false;
      const timer = setTimeout(() => {
        previous = previous.then(async () => {
          if (isCancelled || requested.has(id)) return;
          requested.add(id);
          // If the query fails, the chart shows only the time since the page was opened.
          await fill(id).catch(() => requested.delete(id));
          onDone();
        });
      }, VISIBLE_MS);
      return () => {
        isCancelled = true;
        clearTimeout(timer);
      };
    },
  };
}
