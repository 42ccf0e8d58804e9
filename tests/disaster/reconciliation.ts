import { eventually } from '@gudang/testing/eventually';
import type { Databases } from '@gudang/testing/system/databases';
import { expect } from 'vitest';

const SETTLES_WITHIN_MS = 40_000;

export type StoredStocks = ReadonlyMap<
  string,
  { readonly version: number; readonly quantity: number }
>;

/**
 * Waits until all orders and cancellations are decided and all decisions are sent. Then asserts that both
 * databases have the same decision for each order, that each confirmed order took stock once, and that each
 * cancelled order took nothing or returned it once.
 * @param initial initial quantity plus all adjustments of each stock, by stock id
 * @returns the current stocks
 */
export async function expectReconciled(
  { order, stock }: Databases,
  initial: ReadonlyMap<string, number>,
): Promise<StoredStocks> {
  const { stored, decided } = await eventually(
    async () => {
      const [waiting] = await stock('SELECT count(*)::int AS count FROM outbox');
      const stored = await order(
        'SELECT id, product_id, quantity, status::text FROM orders ORDER BY id',
      );
      const [open] = await order(`SELECT count(*)::int AS count FROM orders
        WHERE status = 'CONFIRMED' AND cancel_requested_at IS NOT NULL`);
      const decided = await stock(
        'SELECT order_id AS id, product_id, quantity, status::text FROM decisions ORDER BY 1',
      );
      const undecided = Number(waiting?.['count']) + Number(open?.['count']);
      return { undecided, stored, decided };
    },
    ({ undecided, stored, decided }) =>
      undecided === 0 &&
      decided.length >= stored.length &&
      stored.every(({ status }) => status !== 'PENDING'),
    { until: 'all orders are decided', within: SETTLES_WITHIN_MS, every: 100 },
  );
  expect(decided).toEqual(stored);
  const kept = await stock(`SELECT order_id AS id, -sum(delta)::int AS quantity FROM movements
    WHERE order_id IS NOT NULL GROUP BY 1 HAVING sum(delta) <> 0 ORDER BY 1`);
  const confirmed = decided.filter(({ status }) => status === 'CONFIRMED');
  expect(kept).toEqual(confirmed.map(({ id, quantity }) => ({ id, quantity })));
  const stocks = await stock('SELECT id, version, quantity FROM stocks');
  for (const { id, quantity } of stocks) {
    const ofOne = confirmed.filter(({ product_id }) => product_id === id);
    const ordered = ofOne.reduce((sum, { quantity: one }) => sum + one, 0);
    expect({ id, quantity }).toEqual({ id, quantity: (initial.get(id) ?? 0) - ordered });
  }
  return new Map(stocks.map(({ id, version, quantity }) => [id, { version, quantity }]));
}
