import type { OrderDecided, OrderState } from '@gudang/events';

/** The outcome of a batch of decisions. */
export interface Settlement<D> {
  /** Decisions to write, at most one for each order. All orders of these decisions are PENDING. */
  readonly settled: readonly D[];
  /** Duplicates of decisions that were applied before. */
  readonly repeats: readonly D[];
  /** Decisions about orders that are not in order_db, because another system created these orders. */
  readonly foreign: readonly D[];
  /** Decisions that can never be applied. */
  readonly contradictions: readonly { readonly decision: D; readonly reason: string }[];
}

type CurrentOrder = Pick<OrderState, 'productId' | 'status' | 'rejectionReason'>;

/**
 * Selects the decisions to apply. A status changes once, from PENDING, by a decision for the ordered
 * product. This function is pure: the caller locks the rows and writes the result.
 */
export function settle<D extends OrderDecided>(
  orders: ReadonlyMap<string, CurrentOrder>,
  decisions: readonly D[],
): Settlement<D> {
  const current = new Map(orders);
  const settled: D[] = [];
  const repeats: D[] = [];
  const foreign: D[] = [];
  const contradictions: { decision: D; reason: string }[] = [];
  for (const decision of decisions) {
    const order = current.get(decision.orderId);
    if (order === undefined) foreign.push(decision);
    else if (order.productId !== decision.productId) {
      contradictions.push({ decision, reason: 'the order is of another product' });
    } else if (order.status === 'PENDING') {
      settled.push(decision);
      current.set(decision.orderId, {
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
