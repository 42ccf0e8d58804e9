import type { OrderCreated, OrderDecided, StockChanged, StockState } from '@gudang/events';
import type { StockRow } from '../stocks/lock-stocks.ts';

/**
 * A stored decision. Its quantity distinguishes a duplicate of the order from a different order with the
 * same id.
 */
export interface Decision extends OrderDecided {
  readonly quantity: number;
}

/** The outcome of a batch of orders. */
export interface Outcome<O> {
  /** New decisions to store, one for each order that was not decided before. */
  readonly decided: readonly Decision[];
  /**
   * Decisions to announce. They include the decisions about duplicate orders, because the earlier
   * announcements may have been lost.
   */
  readonly announced: readonly Decision[];
  readonly changes: readonly StockChanged[];
  /** Orders with the id of an earlier order but a different product or quantity. They are never applied. */
  readonly contradictions: readonly { readonly order: O; readonly reason: string }[];
}

/**
 * Decides one order: confirms its whole quantity or rejects it.
 * @returns the reason for the rejection; null if the order is confirmed
 */
export function rejection(
  stock: Pick<StockRow, 'quantity' | 'deletedAt'> | undefined,
  quantity: number,
): OrderDecided['reason'] {
  if (stock === undefined || stock.deletedAt !== null) return 'UNKNOWN_PRODUCT';
  return quantity <= stock.quantity ? null : 'OUT_OF_STOCK';
}

/**
 * Decides orders in the sequence of their arrival, and each order id only once. This function is pure:
 * the caller locks the rows and writes the outcome.
 */
export function decide<O extends OrderCreated>({
  orders,
  stocks,
  earlier,
  now,
}: {
  orders: readonly O[];
  /** The ordered stocks that exist, including tombstones. */
  stocks: ReadonlyMap<string, StockRow>;
  /** Earlier decisions of the same orders. */
  earlier: ReadonlyMap<string, Decision>;
  now: Date;
}): Outcome<O> {
  const states = new Map(stocks);
  const decisions = new Map(earlier);
  const decided: Decision[] = [];
  const announced: Decision[] = [];
  const changes: StockChanged[] = [];
  const contradictions: { order: O; reason: string }[] = [];

  for (const order of orders) {
    const before = decisions.get(order.id);
    if (before) {
      const reason = contradiction(before, order);
      if (reason === null) announced.push(before);
      else contradictions.push({ order, reason });
      continue;
    }
    const stock = states.get(order.productId);
    const reason = rejection(stock, order.quantity);
    const after = stock && reason === null ? take(stock, order.quantity, now) : stock;
    if (after && after !== stock) {
      states.set(after.id, after);
      changes.push({ stock: after, kind: 'ORDERED', delta: -order.quantity, orderId: order.id });
    }
    const decision: Decision = {
      orderId: order.id,
      productId: order.productId,
      quantity: order.quantity,
      status: reason === null ? 'CONFIRMED' : 'REJECTED',
      reason,
      quantityAfter: reason === 'UNKNOWN_PRODUCT' ? null : (after?.quantity ?? null),
      decidedAt: now,
      cancelledAt: null,
      cancelRefusal: null,
    };
    decisions.set(order.id, decision);
    decided.push(decision);
    announced.push(decision);
  }
  return { decided, announced, changes, contradictions };
}

function take<S extends StockState>(stock: S, quantity: number, now: Date): S {
  return {
    ...stock,
    quantity: stock.quantity - quantity,
    version: stock.version + 1,
    updatedAt: now,
  };
}

function contradiction(earlier: Decision, order: OrderCreated): string | null {
  if (earlier.productId !== order.productId) return 'this order id was decided for another product';
  if (earlier.quantity !== order.quantity) return 'this order id was decided for another quantity';
  return null;
}
