import { ask } from '../../graph/send-operation.ts';
import { HISTORY_QUERY, type HistoryData } from '../operations.ts';
import { prepend } from './stock-history.ts';
import type { StockStore } from './stock-store.ts';

export interface Backfill {
  /** Asks for a stock's past, unless it is no longer wanted by then or was asked for. */
  readonly want: (id: string, onDone: () => void) => () => void;
}

/** Rows that are only scrolled past are not asked for. */
const LOOKED_AT_MS = 300;

/** What happened before the page was opened, from the ledger: for rows on the screen, one at a time. */
export function createBackfill(stocks: StockStore): Backfill {
  const asked = new Set<string>();
  let previous: Promise<void> = Promise.resolve();

  const fill = async (id: string): Promise<void> => {
    const { data } = await ask<HistoryData>(HISTORY_QUERY, { id });
    const history = stocks.get(id)?.history;
    if (!data?.stock || !history) return;
    const points = data.stock.movements.nodes.map(({ at, quantityAfter }) => ({
      at: Date.parse(at) / 1000,
      quantity: quantityAfter,
    }));
    prepend(history, points);
  };

  return {
    want: (id, onDone) => {
      let wanted = true;
      const timer = setTimeout(() => {
        previous = previous.then(async () => {
          if (!wanted || asked.has(id)) return;
          asked.add(id);
          // Without it the line begins where the page was opened.
          await fill(id).catch(() => asked.delete(id));
          onDone();
        });
      }, LOOKED_AT_MS);
      return () => {
        wanted = false;
        clearTimeout(timer);
      };
    },
  };
}
