import type { Acknowledged, History } from './history.ts';
import { byId, groupBy } from './history.ts';

/** Summary of the orders of one fault. */
export interface OrderSummary {
  readonly acknowledged: number;
  readonly confirmed: number;
  readonly rejected: number;
  readonly cancelled: number;
  /** Number of acknowledged orders that do not exist or have no final status. */
  readonly lost: number;
  /** Number of orders that took stock more than once, plus the number of idempotency keys with several orders. */
  readonly doubled: number;
  /** Number of orders that returned stock more than once. */
  readonly returnedTwice: number;
  /** Number of units that were confirmed beyond the available quantity. */
  readonly oversold: number;
  /** Maximum time until an acknowledgement, in milliseconds. */
  readonly worstLatency: number;
}

/**
 * Summarizes the orders of one fault.
 * @param history may also contain orders of other faults
 * @param acknowledged the acknowledged orders of this fault
 */
export function summarizeOrders(
  history: History,
  acknowledged: readonly Acknowledged[],
): OrderSummary {
  const ids = new Set(acknowledged.map(({ id }) => id));
  const orders = byId(history.orders, ({ id }) => id);
  const count = (status: string): number =>
    [...ids].filter((id) => orders.get(id)?.status === status).length;
  const confirmed = count('CONFIRMED');
  const rejected = count('REJECTED');
  const cancelled = count('CANCELLED');

  /** Number of orders with several ledger entries of a kind. */
  const countTwice = (kind: string): number => {
    const entries = groupBy(
      history.movements.filter((entry) => entry.kind === kind && ids.has(entry.orderId ?? '')),
      ({ orderId }) => orderId,
    );
    return [...entries.values()].filter((movements) => movements.length > 1).length;
  };
  const keys = groupBy(
    acknowledged.filter(({ idempotencyKey }) => idempotencyKey !== null),
    ({ idempotencyKey }) => idempotencyKey,
  );
  const madeTwice = [...keys.values()].filter(
    (answers) => new Set(answers.map(({ id }) => id)).size > 1,
  ).length;

  return {
    acknowledged: ids.size,
    confirmed,
    rejected,
    cancelled,
    lost: ids.size - confirmed - rejected - cancelled,
    doubled: countTwice('ORDERED') + madeTwice,
    returnedTwice: countTwice('RETURNED'),
    oversold: oversold(history, new Set(acknowledged.map(({ productId }) => productId))),
    worstLatency: Math.max(0, ...acknowledged.map(({ latency }) => latency)),
  };
}

function oversold(
  { observed, decisions, movements }: History,
  products: ReadonlySet<string>,
): number {
  let units = 0;
  for (const { stockId, quantity } of observed.added) {
    if (!products.has(stockId)) continue;
    let left = quantity;
    for (const { stockId: of, kind, delta } of movements) {
      if (of === stockId && kind === 'ADJUSTED') left += delta;
    }
    for (const { productId, status, quantity: wanted } of decisions) {
      if (productId === stockId && status === 'CONFIRMED') left -= wanted;
    }
    units += Math.max(0, -left);
  }
  return units;
}
