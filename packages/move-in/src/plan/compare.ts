import type { Plan, PlannedDecision, PlannedOrder } from './plan.ts';
import type { PlannedStock } from './plan-stocks.ts';

/** A stock that the new system has. */
export interface PresentStock {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly isDeleted: boolean;
  /** The version and quantity of the last move; null if the stock was not moved. */
  readonly moved: { readonly version: number; readonly quantity: number } | null;
}

/** A decision that the new system has. */
export interface PresentDecision {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly decidedAt: Date;
  /** Whether the new stock service has subtracted the order's quantity. */
  readonly hasEntry: boolean;
}

/** An order that the new system has. */
export interface PresentOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
}

/** The rows of the new system that have the plan's ids. */
export interface Present {
  readonly stocks: ReadonlyMap<string, PresentStock>;
  readonly decisions: ReadonlyMap<string, PresentDecision>;
  readonly orders: ReadonlyMap<string, PresentOrder>;
}

/** A stock of an earlier move that nothing has changed since, with its quantity and name of today. */
export interface MovedAgain extends PlannedStock {
  readonly version: number;
  readonly createdAt: Date;
  /** The quantity of today minus the quantity of the earlier move. */
  readonly delta: number;
}

/** The rows that are still to be written. */
export interface Remaining {
  readonly stocks: readonly PlannedStock[];
  readonly movedAgain: readonly MovedAgain[];
  readonly decisions: readonly PlannedDecision[];
  readonly orders: readonly PlannedOrder[];
  /** Differences that no move can resolve. Nothing is written if there is one. */
  readonly contradictions: readonly string[];
}

/** Compares a plan with what the new system has. This function is pure. */
export function comparePlan(plan: Plan, present: Present): Remaining {
  const contradictions: string[] = [];
  const stocks: PlannedStock[] = [];
  const movedAgain: MovedAgain[] = [];
  for (const stock of plan.stocks) {
    const found = present.stocks.get(stock.id);
    if (found === undefined) stocks.push(stock);
    else {
      const difference = compareStock(stock, found);
      if (typeof difference === 'string') contradictions.push(difference);
      else if (difference) movedAgain.push(difference);
    }
  }
  const decisions = plan.decisions.filter((decision) => {
    const found = present.decisions.get(decision.orderId);
    if (found) contradictions.push(...compareDecision(decision, found));
    return found === undefined;
  });
  const orders = plan.orders.flatMap((order) => {
    const found = present.orders.get(order.id);
    if (found) {
      contradictions.push(...compareOrder(order, found));
      return [];
    }
    return [completeOrder(order, present.decisions.get(order.id))];
  });
  return { stocks, movedAgain, decisions, orders, contradictions };
}

/**
 * Returns an order as it is written, if the new system may already have a decision about it.
 * - An interrupted move has written the decision of an order without a record, with the time of that move.
 * - The new stock service may have decided an order that the legacy order service has sent since the move.
 *   The order is sent again, so that the stock service announces its decision again.
 */
function completeOrder(order: PlannedOrder, found: PresentDecision | undefined): PlannedOrder {
  if (found === undefined) return order;
  if (order.status === 'PENDING') return { ...order, isUnsent: true };
  return order.isUnsent ? { ...order, createdAt: found.decidedAt } : order;
}

/** Returns a contradiction, the stock to move again, or undefined if nothing has changed. */
function compareStock(stock: PlannedStock, found: PresentStock): string | MovedAgain | undefined {
  const { moved } = found;
  if (moved === null) return `stock ${stock.id} exists here and was not moved`;
  if (moved.quantity === stock.quantity && !found.isDeleted) return undefined;
  if (found.isDeleted) return `stock ${stock.id} was moved and then deleted here`;
  if (found.version > moved.version) {
    return (
      `stock ${stock.id} was moved with the quantity ${moved.quantity} and has changed here since, ` +
      `but the legacy system has ${stock.quantity} now`
    );
  }
  const { version, createdAt } = found;
  return { ...stock, version, createdAt, delta: stock.quantity - moved.quantity };
}

function compareDecision(decision: PlannedDecision, found: PresentDecision): string[] {
  const subject = `order ${decision.orderId}`;
  if (found.productId !== decision.productId || found.quantity !== decision.quantity) {
    const both = `${found.quantity} of ${found.productId} here, and ${decision.quantity} of ${decision.productId}`;
    return [`${subject} was decided for ${both} in the legacy system`];
  }
  if (found.status === 'REJECTED') {
    return [`${subject} was REJECTED here, and subtracted by the legacy stock service`];
  }
  if (found.hasEntry) return [`${subject} was subtracted by both stock services`];
  return [];
}

function compareOrder(order: PlannedOrder, found: PresentOrder): string[] {
  const subject = `order ${order.id}`;
  if (found.productId !== order.productId || found.quantity !== order.quantity) {
    const both = `${found.quantity} of ${found.productId} here, and ${order.quantity} of ${order.productId}`;
    return [`${subject} has ${both} in the legacy system`];
  }
  if (found.status === 'REJECTED' && order.status === 'CONFIRMED') {
    return [`${subject} is REJECTED here, and was subtracted by the legacy stock service`];
  }
  return [];
}
