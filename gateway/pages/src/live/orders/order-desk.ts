import type { Signal } from '../../signal.ts';
import { throttled } from '../frames.ts';
import type { SpeedMeter } from '../speed-meter.ts';
import { createOrderStore, type OrderState, type OrderStore } from './order-store.ts';
import { createOwnOrders, type OwnOrder, type OwnOrders } from './own-orders.ts';
import { createUnattributedOrders } from './unattributed-orders.ts';

/**
 * Minimum interval between updates of the order list, in ms. Users could not read a list that
 * changes faster.
 */
const PUBLISH_EVERY_MS = 250;
/** Time for which the page waits for the stock change of a confirmed order, in ms. */
const CHANGE_WITHIN_MS = 1_000;
/** Time after which the decision about an order is late, in ms. */
const DECIDED_WITHIN_MS = 2_000;
/** Interval between reports of an order whose decision is late, in ms. */
const REPORT_LATE_MS = 5_000;

/** Brings the orders of all sources together: the stream of orders, stock changes and own mutations. */
export class OrderDesk {
  readonly store: OrderStore = createOrderStore();
  readonly #own: OwnOrders;
  readonly #unattributed = createUnattributedOrders();
  readonly #publishSoon = throttled(this.store.publish, PUBLISH_EVERY_MS);
  readonly #onLate: () => void;

  /** @param onLate called repeatedly while the decision about an own order is late */
  constructor(meter: SpeedMeter, onLate: () => void) {
    this.#own = createOwnOrders(this.store, meter);
    this.#onLate = onLate;
  }

  /** The last order that this page placed. */
  get latest(): Signal<OwnOrder | undefined> {
    return this.#own.latest;
  }

  /** Shows the state of an order from a query or from the stream of orders. */
  readonly show = (order: OrderState): void => {
    this.store.apply([order]);
    this.#publishSoon();
    if (order.status === 'CANCELLED') this.#own.settle(order);
    if (!this.#own.isPending(order.id)) return;
    // The form shows a confirmed order as settled when the order's stock change arrives. The page
    // waits only for a limited time, because the stream may have replaced that change by a newer
    // one.
    if (order.status === 'REJECTED') this.#own.settle(order);
    else if (order.status === 'CONFIRMED') {
      setTimeout(() => this.#own.settle(order), CHANGE_WITHIN_MS);
    }
  };

  /** Shows the decisions that stock changes contain. @param mayShowAll whether orders of others may be shown */
  showDecisions(decided: readonly OrderState[], mayShowAll: boolean): void {
    if (decided.length === 0) return;
    for (const order of decided) {
      const known = this.store.get(order.id);
      if (known) this.store.apply([afterDecision(known, order)]);
      else if (mayShowAll) this.store.apply([order]);
      else this.#unattributed.add(order);
    }
    this.#publishSoon();
    for (const order of decided) this.#own.settle(order);
  }

  /** Shows an order that this page placed. @param sentAt by performance.now() */
  readonly placed = (order: OrderState, sentAt: number): void => {
    this.store.apply([order], true);
    // The order's stock change may have arrived before the answer.
    const confirmed = this.#unattributed.take(order.id);
    if (confirmed) this.store.apply([{ ...confirmed, createdAt: order.createdAt }]);
    const current = this.store.get(order.id) ?? order;
    this.#own.track(current, sentAt);
    if (current.status !== 'PENDING') this.#own.settle(current);
    this.store.publish();
    setTimeout(() => this.#reportLate(order.id), DECIDED_WITHIN_MS);
  };

  /** Shows the order in the answer of its cancellation. */
  readonly cancelled = (order: OrderState): void => {
    this.store.apply([order]);
    this.store.publish();
  };

  #reportLate(id: string): void {
    if (!this.#own.noteLate(id)) return;
    this.#onLate();
    setTimeout(() => this.#reportLate(id), REPORT_LATE_MS);
  }
}

/**
 * Returns a known order with the decision that a stock change shows. The order in a stock change has
 * the time of the decision. The list shows the time of creation, so the known time is kept.
 */
function afterDecision(known: OrderState, { status }: OrderState): OrderState {
  const isCancelling = known.isCancelling && status !== 'CANCELLED';
  return { ...known, status, isCancelling, version: 0 };
}
