import type { OrderDecided, OrderState } from '@gudang/events';

/** What a batch of decisions means for the orders that it names. */
export interface Settlement<D> {
  /** To be written: each of another order, all of them PENDING. */
  readonly settled: readonly D[];
  /** Known already. */
  readonly repeats: readonly D[];
  /** Of orders that are not ours: another producer's. */
  readonly foreign: readonly D[];
  /** Never to be applied. */
  readonly contradictions: readonly { readonly decision: D; readonly reason: string }[];
}

type Known = Pick<OrderState, 'productId' | 'status' | 'rejectionReason'>;

/**
 * Settles orders: a status moves only from PENDING, only once, and only by a decision of the
 * product that was ordered. Pure: the caller holds the rows' locks and writes what comes out.
 */
export function settle<D extends OrderDecided>(
  orders: ReadonlyMap<string, Known>,
  decisions: readonly D[],
): Settlement<D> {
  const known = new Map(orders);
  const settled: D[] = [];
  const repeats: D[] = [];
  const foreign: D[] = [];
  const contradictions: { decision: D; reason: string }[] = [];
  for (const decision of decisions) {
    const order = known.get(decision.orderId);
    if (order === undefined) foreign.push(decision);
    else if (order.productId !== decision.productId) {
      contradictions.push({ decision, reason: 'the order is of another product' });
    } else if (order.status === 'PENDING') {
      settled.push(decision);
      known.set(decision.orderId, {
        productId: order.productId,
        status: decision.status,
        rejectionReason: decision.reason,
      });
    } else if (order.status === decision.status && order.rejectionReason === decision.reason) {
      repeats.push(decision);
    } else {
      contradictions.push({ decision, reason: `the order is already ${order.status}` });
    }
  }
  return { settled, repeats, foreign, contradictions };
}
