import type { OrderDecided, OrderState } from '@gudang/events';

/** One change of an order, which raises its version by 1. */
export interface Transition<D> {
  readonly decision: D;
  readonly previousStatus: OrderState['status'];
  /** Whether the order keeps its status and loses its request to cancel, because stock refused it. */
  readonly refusesCancel: boolean;
}

/** The outcome of a batch of decisions. */
export interface Settlement<D> {
  /**
   * The changes to write: the first element has the first change of each order, the second element the
   * second change, and so on.
   */
  readonly rounds: readonly (readonly Transition<D>[])[];
  /** Decisions that change their orders. */
  readonly settled: readonly D[];
  /** Duplicates of decisions that were applied before, and decisions that newer ones have replaced. */
  readonly repeats: readonly D[];
  /** Decisions about orders that are not in order_db, because another system created these orders. */
  readonly foreign: readonly D[];
  /** Decisions that can never be applied. */
  readonly contradictions: readonly { readonly decision: D; readonly reason: string }[];
}

/** The part of an order that decisions depend on. */
export type DecidedOrder = Pick<
  OrderState,
  'productId' | 'status' | 'rejectionReason' | 'cancelRequestedAt'
>;

/**
 * Selects the decisions to apply, in their order. A status changes from PENDING to any other status, and
 * from CONFIRMED to CANCELLED. This function is pure: the caller locks the rows and writes the result.
 */
export function settle<D extends OrderDecided>(
  orders: ReadonlyMap<string, DecidedOrder>,
  decisions: readonly D[],
): Settlement<D> {
  const current = new Map(orders);
  const changes = new Map<string, number>();
  const rounds: Transition<D>[][] = [];
  const settled: D[] = [];
  const repeats: D[] = [];
  const foreign: D[] = [];
  const contradictions: { decision: D; reason: string }[] = [];
  for (const decision of decisions) {
    const { orderId } = decision;
    const order = current.get(orderId);
    if (order === undefined) {
      foreign.push(decision);
      continue;
    }
    const reason = contradiction(order, decision);
    if (reason !== undefined) {
      contradictions.push({ decision, reason });
      continue;
    }
    const { transitions, after } = apply(order, decision);
    if (transitions.length === 0) {
      repeats.push(decision);
      continue;
    }
    current.set(orderId, after);
    settled.push(decision);
    for (const transition of transitions) {
      const round = changes.get(orderId) ?? 0;
      changes.set(orderId, round + 1);
      if (round === rounds.length) rounds.push([]);
      rounds[round]?.push(transition);
    }
  }
  return { rounds, settled, repeats, foreign, contradictions };
}

/** Returns why a decision can never be applied to an order; undefined if it can, or if it is a repeat. */
function contradiction(order: DecidedOrder, decision: OrderDecided): string | undefined {
  if (order.productId !== decision.productId) return 'the order is of another product';
  const isRejected = order.status === 'REJECTED';
  if (order.status === 'PENDING' || (!isRejected && decision.status !== 'REJECTED'))
    return undefined;
  const isRepeat = isRejected && order.rejectionReason === decision.reason;
  return isRepeat ? undefined : `the order is already ${order.status}`;
}

/**
 * Returns the changes that a decision makes, and the order after them. A refused cancellation of a PENDING
 * order makes two: the record of its confirmation was lost.
 */
function apply<D extends OrderDecided>(
  order: DecidedOrder,
  decision: D,
): { readonly transitions: readonly Transition<D>[]; readonly after: DecidedOrder } {
  const transitions: Transition<D>[] = [];
  let after = order;
  const isNewStatus =
    order.status === 'PENDING' || (order.status === 'CONFIRMED' && decision.status === 'CANCELLED');
  if (isNewStatus) {
    transitions.push({ decision, previousStatus: order.status, refusesCancel: false });
    after = { ...order, status: decision.status, rejectionReason: decision.reason };
  }
  const refused = decision.cancelRefusal?.requestedAt.getTime();
  const isRefused =
    refused !== undefined &&
    after.status === 'CONFIRMED' &&
    after.cancelRequestedAt?.getTime() === refused;
  if (isRefused) {
    transitions.push({ decision, previousStatus: after.status, refusesCancel: true });
    after = { ...after, cancelRequestedAt: null };
  }
  return { transitions, after };
}
