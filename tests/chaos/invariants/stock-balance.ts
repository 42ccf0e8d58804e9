import { type Breach, groupBy, type History } from '../history.ts';

/**
 * Guarantee 1: initial quantity ± adjustments − confirmed orders = current quantity. The quantity is
 * never below 0, and the ledger has no gap.
 */
export function stockBalance(history: History): Breach[] {
  const { stocks, movements, decisions, observed } = history;
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 1, what });
  const ledgers = groupBy(movements, (movement) => movement.stockId);
  const confirmed = groupBy(
    decisions.filter(({ status }) => status === 'CONFIRMED'),
    (decision) => decision.productId,
  );
  const adjustments = groupBy(
    movements.filter(({ kind }) => kind === 'ADJUSTED'),
    (movement) => movement.stockId,
  );
  const ids = new Set(stocks.map(({ id }) => id));
  for (const { stockId } of observed.added) {
    if (!ids.has(stockId)) breach(`stock ${stockId} was added and does not exist`);
  }

  for (const stock of stocks) {
    const ledger = [...(ledgers.get(stock.id) ?? [])].sort((a, b) => a.version - b.version);
    let sum = 0;
    ledger.forEach((entry, index) => {
      sum += entry.delta;
      if (entry.version !== index + 1) {
        breach(`the ledger of ${stock.id} has no version ${index + 1} (${entry.version} is next)`);
      }
      if (entry.quantityAfter !== sum || sum < 0) {
        breach(
          `the ledger of ${stock.id} has ${entry.quantityAfter} at version ${entry.version}; its deltas sum to ${sum}`,
        );
      }
    });
    if (stock.quantity < 0) breach(`stock ${stock.id} has ${stock.quantity}`);
    if (stock.quantity !== sum) {
      breach(`stock ${stock.id} has ${stock.quantity}; its ledger sums to ${sum}`);
    }
    if (stock.version !== ledger.length) {
      breach(
        `stock ${stock.id} is at version ${stock.version} but has ${ledger.length} ledger entries`,
      );
    }
    const added = observed.added.find(({ stockId }) => stockId === stock.id);
    if (!added) continue;
    const taken = total(confirmed.get(stock.id), (decision) => decision.quantity);
    const adjusted = total(adjustments.get(stock.id), (movement) => movement.delta);
    const expected = added.quantity + adjusted - taken;
    if (stock.quantity !== expected) {
      breach(
        `stock ${stock.id} has ${stock.quantity}, not ${added.quantity} ± ${adjusted} − ${taken} confirmed = ${expected}`,
      );
    }
  }
  return [...breaches, ...adjustmentBreaches(history)];
}

/** The ledger has each acknowledged adjustment exactly once, and each unacknowledged one at most once. */
function adjustmentBreaches({ movements, observed }: History): Breach[] {
  const written = groupBy(
    movements.filter(({ kind }) => kind === 'ADJUSTED'),
    (movement) => movement.reason,
  );
  return observed.adjusted.flatMap(({ reason, stockId, delta, acknowledged }): Breach[] => {
    const entries = written.get(reason) ?? [];
    const right = entries.every((entry) => entry.stockId === stockId && entry.delta === delta);
    if (right && (entries.length === 1 || (entries.length === 0 && !acknowledged))) return [];
    const what = `the adjustment ${reason} of ${stockId} by ${delta} is ${entries.length} times in the ledger`;
    return [{ guarantee: 1, what }];
  });
}

function total<T>(all: readonly T[] | undefined, amount: (one: T) => number): number {
  return (all ?? []).reduce((sum, one) => sum + amount(one), 0);
}
