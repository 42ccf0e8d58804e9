import { type DecisionStatus, type OrderDecided, STOCK_QUANTITY } from '@gudang/events';
import type { OrderRequest } from './generate-histories.ts';

/** What the stock service announces in answer to a record; null if the record is dead-lettered. */
export type Announcement = Pick<OrderDecided, 'orderId' | 'status' | 'reason'> & {
  /** The request that is announced as refused. */
  readonly refused: Date | null;
};

interface ModelOrder {
  readonly productId: string;
  readonly quantity: number;
  status: DecisionStatus;
  readonly reason: OrderDecided['reason'];
  /** The life of the stock that the quantity was taken from. */
  readonly soldIn: number | null;
  /** The last refused request to cancel. */
  refused: Date | null;
}

interface ModelStock {
  /** Number of times that the stock was added. */
  life: number;
  /** Null while the stock is deleted. */
  quantity: number | null;
}

/**
 * A model of the stock service's decisions: one record at a time, without batches, versions or databases.
 * It knows by the stock's life, not by a version, whether the stock was deleted since.
 */
export class OrderModel {
  readonly orders = new Map<string, ModelOrder>();
  readonly #stocks = new Map<string, ModelStock>();

  quantity(productId: string): number | null {
    return this.#stocks.get(productId)?.quantity ?? null;
  }

  /** Deletes the stock if it exists; otherwise adds it. */
  replace(productId: string, quantity: number): void {
    const stock = this.#stocks.get(productId) ?? { life: 0, quantity: null };
    this.#stocks.set(productId, stock);
    if (stock.quantity !== null) stock.quantity = null;
    else {
      stock.life += 1;
      stock.quantity = quantity;
    }
  }

  update(productId: string, quantity: number): void {
    const stock = this.#stocks.get(productId);
    if (stock && stock.quantity !== null) stock.quantity = quantity;
  }

  answer(request: OrderRequest): Announcement | null {
    const { id, productId, quantity } = request;
    const known = this.orders.get(id);
    if (known && (known.productId !== productId || known.quantity !== quantity)) return null;
    if (!('requestedAt' in request)) {
      if (!known) this.orders.set(id, this.#decide(request));
      return this.#announce(id, this.orders.get(id)?.refused ?? null);
    }
    if (!known) {
      const order = { productId, quantity, reason: null, soldIn: null, refused: null };
      this.orders.set(id, { ...order, status: 'CANCELLED' });
      return this.#announce(id, null);
    }
    if (known.status !== 'CONFIRMED') return this.#announce(id, null);
    const { requestedAt } = request;
    const stock = this.#stocks.get(productId);
    const isSeller = stock && stock.quantity !== null && stock.life === known.soldIn;
    const isFull = isSeller && (stock.quantity ?? 0) + quantity > STOCK_QUANTITY.max;
    const isRepeat = known.refused !== null && requestedAt <= known.refused;
    if (isRepeat || isFull) {
      if (!isRepeat) known.refused = requestedAt;
      return this.#announce(id, requestedAt);
    }
    if (isSeller) stock.quantity = (stock.quantity ?? 0) + quantity;
    known.status = 'CANCELLED';
    known.refused = null;
    return this.#announce(id, null);
  }

  #decide({ productId, quantity }: OrderRequest): ModelOrder {
    const order = { productId, quantity, soldIn: null, refused: null };
    const stock = this.#stocks.get(productId);
    if (!stock || stock.quantity === null) {
      return { ...order, status: 'REJECTED', reason: 'UNKNOWN_PRODUCT' };
    }
    if (stock.quantity < quantity) return { ...order, status: 'REJECTED', reason: 'OUT_OF_STOCK' };
    stock.quantity -= quantity;
    return { ...order, status: 'CONFIRMED', reason: null, soldIn: stock.life };
  }

  #announce(orderId: string, refused: Date | null): Announcement | null {
    const order = this.orders.get(orderId);
    return order ? { orderId, status: order.status, reason: order.reason, refused } : null;
  }
}
