import type { OrderCreated, OrderDecided, StockChanged, StockState } from '@gudang/events';
import type { StoredStock } from '../stocks/stored-stock.ts';

/** A decision as it is kept, with all that tells a repeat from another order of the same id. */
export interface Decision extends OrderDecided {
  readonly quantity: number;
}

/** What a batch of orders comes to. */
export interface Outcome<O> {
  /** To be kept: each of another order. */
  readonly decided: readonly Decision[];
  /** To be told, repeats too: whoever asks again may not have heard. */
  readonly announced: readonly Decision[];
  readonly changes: readonly StockChanged[];
  /** A known id with another product or quantity: never applied. */
  readonly contradictions: readonly { readonly order: O; readonly reason: string }[];
}

/**
 * The rule: the whole quantity, or nothing.
 * @returns why an order is rejected; null when it is confirmed
 */
export function rejection(
  stock: Pick<StoredStock, 'quantity' | 'deletedAt'> | undefined,
  quantity: number,
): OrderDecided['reason'] {
  if (stock === undefined || stock.deletedAt !== null) return 'UNKNOWN_PRODUCT';
  return quantity <= stock.quantity ? null : 'OUT_OF_STOCK';
}

/**
 * Decides orders in the order they came: first come, first served; each once.
 * Pure: the caller holds the rows' locks and writes what comes out.
 */
export function decide<O extends OrderCreated>({
  orders,
  stocks,
  known,
  now,
}: {
  orders: readonly O[];
  /** The stocks that the orders name, as far as they exist; tombstones too. */
  stocks: ReadonlyMap<string, StoredStock>;
  /** What was decided before of the orders given. */
  known: ReadonlyMap<string, Decision>;
  now: Date;
}): Outcome<O> {
  const states = new Map(stocks);
  const decisions = new Map(known);
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

function contradiction(known: Decision, order: OrderCreated): string | null {
  if (known.productId !== order.productId) return 'this order id is known with another product';
  if (known.quantity !== order.quantity) return 'this order id is known with another quantity';
  return null;
}
