import { createSignal, type Signal } from '../../signal.ts';
import { afterPaint } from '../frames.ts';
import type { SpeedMeter } from '../speed-meter.ts';
import type { OrderState, OrderStore } from './order-store.ts';

/** The last order that this page placed, as the order form shows it. */
export interface OwnOrder {
  readonly order: OrderState;
  /**
   * Time from the button press until the result was painted, in ms; absent before the result is
   * painted.
   */
  readonly tookMs?: number;
  /** Whether the decision takes longer than usual. */
  readonly isLate?: boolean;
}

/** The orders that this page placed, until their result is painted. */
export interface OwnOrders {
  readonly latest: Signal<OwnOrder | undefined>;
  /** @param sentAt time of the button press, by performance.now() */
  readonly track: (order: OrderState, sentAt: number) => void;
  readonly isPending: (id: string) => boolean;
  /** Shows that the decision takes longer than usual. @returns false if it is known already */
  readonly noteLate: (id: string) => boolean;
  /**
   * Shows the result of an order of this page, and the cancellation of the latest one; ignores all
   * others.
   */
  readonly settle: (order: OrderState) => void;
}

export function createOwnOrders(orders: OrderStore, meter: SpeedMeter): OwnOrders {
  const latest = createSignal<OwnOrder | undefined>(undefined);
  const sentAt = new Map<string, number>();
  return {
    latest,
    track: (order, sent) => {
      sentAt.set(order.id, sent);
      latest.set({ order });
    },
    isPending: (id) => sentAt.has(id),
    noteLate: (id) => {
      if (!sentAt.has(id)) return false;
      const shown = latest.get();
      if (shown?.order.id === id) latest.set({ ...shown, isLate: true });
      return true;
    },
    settle: (order) => {
      const sent = sentAt.get(order.id);
      if (sent === undefined) {
        const isLatest = latest.get()?.order.id === order.id;
        if (isLatest && order.status === 'CANCELLED') latest.set({ order });
        return;
      }
      sentAt.delete(order.id);
      latest.set({ order });
      orders.publish();
      afterPaint(() => {
        const tookMs = performance.now() - sent;
        meter.recordOrder(tookMs);
        if (latest.get()?.order.id === order.id) latest.set({ order, tookMs });
      });
    },
  };
}

const number = new Intl.NumberFormat();

/**
 * Describes the result of an order to a user.
 * @param name name of the product, or its id if the product is unknown
 * @param left quantity of the stock; undefined if unknown
 */
export function outcomeOf(
  { order: { quantity, status, rejectionReason }, isLate }: OwnOrder,
  name: string,
  left: number | undefined,
): string {
  const ordered = `${number.format(quantity)} × ${name}`;
  if (status === 'PENDING') {
    return isLate
      ? `Accepted and stored: ${ordered}. The decision takes longer than usual; the order is not lost.`
      : `Accepted: ${ordered}. Waiting for the decision.`;
  }
  if (status === 'CANCELLED') return `Cancelled: ${ordered}.`;
  if (status === 'CONFIRMED') {
    return `Confirmed: ${ordered}.${left === undefined ? '' : ` ${number.format(left)} left.`}`;
  }
  if (rejectionReason === 'UNKNOWN_PRODUCT') {
    return `Rejected: there is no product “${name}”. Check the id.`;
  }
  const available = left === undefined ? 'fewer' : number.format(left);
  return `Rejected: not enough ${name}. You ordered ${number.format(quantity)}, the stock has ${available}. Nothing was taken; order fewer.`;
}
