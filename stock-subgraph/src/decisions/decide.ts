import type {
  OrderCancelled,
  OrderCreated,
  OrderDecided,
  StockChanged,
  StockState,
} from '@gudang/events';
import { STOCK_QUANTITY } from '@gudang/events';
import type { StockRow } from '../stocks/lock-stocks.ts';

/** An order to decide, or a request to cancel an order, which has `requestedAt`. */
export type OrderRequest = OrderCreated | OrderCancelled;

/**
 * A stored decision. Its product and quantity distinguish a repeat of the order from a different order with
 * the same id. Its `cancelRefusal` is the last refused request to cancel.
 */
export interface Decision extends OrderDecided {
  readonly quantity: number;
  /** The stock's version after it lost the quantity; null if nothing was taken. */
  readonly stockVersion: number | null;
}

/** How a request was answered. A repeat is answered with the earlier decision. */
export type Answer = 'confirmed' | 'rejected' | 'cancelled' | 'refused' | 'repeat';

/** The outcome of a batch of requests. */
export interface Outcome<R> {
  /** New decisions to insert, one for each order that was not decided before. */
  readonly decided: readonly Decision[];
  /** Earlier decisions to update, because the order was cancelled or a request to cancel was refused. */
  readonly updated: readonly Decision[];
  /**
   * Decisions to announce, one for each request that was answered. They include the decisions about
   * repeated requests, because the earlier announcements may have been lost.
   */
  readonly announced: readonly { readonly answer: Answer; readonly decision: OrderDecided }[];
  readonly changes: readonly StockChanged[];
  /** Requests with the id of an earlier order but a different product or quantity. They are never applied. */
  readonly contradictions: readonly { readonly request: R; readonly reason: string }[];
}

/** The rows that the decisions about a batch depend on. */
export interface DecisionRows {
  /** The stocks of the requests that exist, including tombstones. */
  readonly stocks: ReadonlyMap<string, StockRow>;
  /** The version at which each stock was last added. Needed only for requests to cancel. */
  readonly addedVersions: ReadonlyMap<string, number>;
  /** Earlier decisions about the same orders. */
  readonly earlier: ReadonlyMap<string, Decision>;
  readonly now: Date;
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
 * Answers requests in the sequence of their arrival. Each order takes its quantity at most once and returns
 * it at most once. This function is pure: the caller locks the rows and writes the outcome.
 */
export function decide<R extends OrderRequest>(
  requests: readonly R[],
  rows: DecisionRows,
): Outcome<R> {
  const batch = new Batch<R>(rows);
  for (const request of requests) batch.answer(request);
  return batch.outcome();
}

/** The state of stocks and decisions while a batch is decided. */
class Batch<R extends OrderRequest> {
  readonly #rows: DecisionRows;
  readonly #stocks: Map<string, StockRow>;
  /** The decisions that this batch made or changed. */
  readonly #decisions = new Map<string, Decision>();
  readonly #announced: { answer: Answer; decision: OrderDecided }[] = [];
  readonly #changes: StockChanged[] = [];
  readonly #contradictions: { request: R; reason: string }[] = [];

  constructor(rows: DecisionRows) {
    this.#rows = rows;
    this.#stocks = new Map(rows.stocks);
  }

  answer(request: R): void {
    const before = this.#decisions.get(request.id) ?? this.#rows.earlier.get(request.id);
    const reason = before && contradiction(before, request);
    if (reason) this.#contradictions.push({ request, reason });
    else if ('requestedAt' in request) this.#cancel(request, before);
    else if (before) this.#announce('repeat', before);
    else this.#decide(request);
  }

  outcome(): Outcome<R> {
    const decided: Decision[] = [];
    const updated: Decision[] = [];
    for (const decision of this.#decisions.values()) {
      (this.#rows.earlier.has(decision.orderId) ? updated : decided).push(decision);
    }
    return {
      decided,
      updated,
      announced: this.#announced,
      changes: this.#changes,
      contradictions: this.#contradictions,
    };
  }

  #decide(order: OrderRequest): void {
    const stock = this.#stocks.get(order.productId);
    const reason = rejection(stock, order.quantity);
    const taken =
      stock && reason === null ? this.#change(stock, 'ORDERED', -order.quantity, order) : undefined;
    const decision = this.#newDecision(order, taken ? 'CONFIRMED' : 'REJECTED', {
      reason,
      stockVersion: taken?.version ?? null,
    });
    this.#store(taken ? 'confirmed' : 'rejected', decision);
  }

  #cancel(request: OrderRequest & OrderCancelled, before: Decision | undefined): void {
    if (before === undefined) {
      const nothing = { reason: null, stockVersion: null };
      this.#store('cancelled', this.#newDecision(request, 'CANCELLED', nothing));
      return;
    }
    const { now } = this.#rows;
    if (before.status !== 'CONFIRMED') {
      this.#announce('repeat', before);
      return;
    }
    const { requestedAt } = request;
    const { cancelRefusal } = before;
    if (cancelRefusal && requestedAt <= cancelRefusal.requestedAt) {
      this.#announce('repeat', { ...before, cancelRefusal: { ...cancelRefusal, requestedAt } });
      return;
    }
    const stock = this.#sellerOf(before);
    if (stock && stock.quantity + before.quantity > STOCK_QUANTITY.max) {
      this.#store('refused', { ...before, cancelRefusal: { at: now, requestedAt } });
      return;
    }
    if (stock) this.#change(stock, 'RETURNED', before.quantity, request);
    this.#store('cancelled', {
      ...before,
      status: 'CANCELLED',
      quantityAfter: this.#quantityOf(before.productId),
      cancelledAt: now,
      cancelRefusal: null,
    });
  }

  /** The stock that a confirmed order took its quantity from; undefined if it was deleted since. */
  #sellerOf({ productId, stockVersion }: Decision): StockRow | undefined {
    const stock = this.#stocks.get(productId);
    if (stock === undefined || stock.deletedAt !== null || stockVersion === null) return undefined;
    const addedVersion = this.#rows.addedVersions.get(productId) ?? 0;
    return addedVersion <= stockVersion ? stock : undefined;
  }

  /** A decision about a new order, with the quantity of its stock as of now. */
  #newDecision(
    { id, productId, quantity }: OrderRequest,
    status: Decision['status'],
    { reason, stockVersion }: Pick<Decision, 'reason' | 'stockVersion'>,
  ): Decision {
    const { now } = this.#rows;
    return {
      orderId: id,
      productId,
      quantity,
      status,
      reason,
      quantityAfter: this.#quantityOf(productId),
      decidedAt: now,
      cancelledAt: status === 'CANCELLED' ? now : null,
      cancelRefusal: null,
      stockVersion,
    };
  }

  #quantityOf(productId: string): number | null {
    const stock = this.#stocks.get(productId);
    return stock && stock.deletedAt === null ? stock.quantity : null;
  }

  #change(
    before: StockRow,
    kind: StockChanged['kind'],
    delta: number,
    { id: orderId }: OrderRequest,
  ): StockState {
    const stock = {
      ...before,
      quantity: before.quantity + delta,
      version: before.version + 1,
      updatedAt: this.#rows.now,
    };
    this.#stocks.set(stock.id, stock);
    this.#changes.push({ stock, kind, delta, orderId });
    return stock;
  }

  #store(answer: Answer, decision: Decision): void {
    this.#decisions.set(decision.orderId, decision);
    this.#announce(answer, decision);
  }

  #announce(answer: Answer, decision: OrderDecided): void {
    this.#announced.push({ answer, decision });
  }
}

function contradiction(earlier: Decision, request: OrderRequest): string | undefined {
  if (earlier.productId !== request.productId)
    return 'this order id was decided for another product';
  if (earlier.quantity !== request.quantity)
    return 'this order id was decided for another quantity';
  return undefined;
}
