import { createSignal, type Signal } from '../../signal.ts';

export type OrderStatus = 'PENDING' | 'CONFIRMED' | 'REJECTED';

export interface OrderState {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: OrderStatus;
  readonly rejectionReason: 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT' | null;
  /** Time at which the order was accepted, in ms since 1970. */
  readonly createdAt: number;
}

export interface ShownOrder extends OrderState {
  /** Whether this page placed the order. */
  readonly isOwn: boolean;
}

/** Holds the newest orders, outside React. */
export interface OrderStore {
  /** Newest first, at most `SHOWN_ORDERS`. */
  readonly newest: Signal<readonly ShownOrder[]>;
  readonly get: (id: string) => ShownOrder | undefined;
  /**
   * Stores states of orders; PENDING does not replace a final state. The states become visible at
   * the next call of `publish`.
   */
  readonly apply: (orders: readonly OrderState[], isOwn?: boolean) => void;
  /** Updates `newest`, if a state changed since the last call. */
  readonly publish: () => void;
}

export const SHOWN_ORDERS = 40;

export function createOrderStore(): OrderStore {
  let known = new Map<string, ShownOrder>();
  let changed = false;
  const newest = createSignal<readonly ShownOrder[]>([]);
  return {
    newest,
    get: (id) => known.get(id),
    apply: (orders, isOwn = false) => {
      for (const order of orders) {
        const before = known.get(order.id);
        if (before && before.status !== 'PENDING' && order.status === 'PENDING') continue;
        const isSame = before?.status === order.status && before.createdAt === order.createdAt;
        if (isSame && (before.isOwn || !isOwn)) continue;
        known.set(order.id, { ...order, isOwn: isOwn || before?.isOwn === true });
        changed = true;
      }
    },
    publish: () => {
      if (!changed) return;
      changed = false;
      const sorted = [...known.values()].sort((a, b) => b.createdAt - a.createdAt);
      const shown = sorted.slice(0, SHOWN_ORDERS);
      // This page's own pending orders stay in the store, regardless of the number of newer orders.
      const ownPending = sorted
        .slice(SHOWN_ORDERS)
        .filter(({ isOwn, status }) => isOwn && status === 'PENDING');
      known = new Map([...shown, ...ownPending].map((order) => [order.id, order]));
      newest.set(shown);
    },
  };
}
