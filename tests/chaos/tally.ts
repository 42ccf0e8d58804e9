import type { Acknowledged, History } from './history.ts';
import { byId, groupBy } from './history-tools.ts';

/** What became of the orders of one fault. */
export interface Tally {
  readonly acknowledged: number;
  readonly confirmed: number;
  readonly rejected: number;
  /** Not there, or never final. */
  readonly lost: number;
  /** Took stock more than once, or became two of one idempotency key. */
  readonly doubled: number;
  /** Units that were confirmed and were not there. */
  readonly oversold: number;
  /** The slowest acknowledgement, in milliseconds. */
  readonly worstLatency: number;
}

/** @param acknowledged those of the fault; the history may hold others too */
export function tally(history: History, acknowledged: readonly Acknowledged[]): Tally {
  const ids = new Set(acknowledged.map(({ id }) => id));
  const orders = byId(history.orders, ({ id }) => id);
  const count = (status: string): number =>
    [...ids].filter((id) => orders.get(id)?.status === status).length;
  const confirmed = count('CONFIRMED');
  const rejected = count('REJECTED');

  const taken = groupBy(
    history.movements.filter(({ orderId }) => orderId !== null && ids.has(orderId)),
    ({ orderId }) => orderId,
  );
  const takenTwice = [...taken.values()].filter((movements) => movements.length > 1).length;
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
    lost: ids.size - confirmed - rejected,
    doubled: takenTwice + madeTwice,
    oversold: oversold(history, new Set(acknowledged.map(({ productId }) => productId))),
    worstLatency: Math.max(0, ...acknowledged.map(({ latency }) => latency)),
  };
}

function oversold({ told, decisions, movements }: History, products: ReadonlySet<string>): number {
  let units = 0;
  for (const { stockId, quantity } of told.added) {
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
