import { createSignal, type Signal } from '../../signal.ts';

export type OrderStatus = 'PENDING' | 'CONFIRMED' | 'REJECTED';

export interface OrderState {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: OrderStatus;
  readonly rejectionReason: 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT' | null;
  /** When it was taken, in ms since 1970. */
  readonly createdAt: number;
}

export interface ShownOrder extends OrderState {
  /** Ordered on this page. */
  readonly own: boolean;
}

/** The newest orders, outside React. */
export interface OrderStore {
  /** Newest first, at most `SHOWN_ORDERS`. */
  readonly newest: Signal<readonly ShownOrder[]>;
  readonly get: (id: string) => ShownOrder | undefined;
  /** Takes states over, unless a final one would become pending again. Shown by `publish`. */
  readonly apply: (orders: readonly OrderState[], own?: boolean) => void;
  /** Shows what was applied since; nothing when that changed nothing. */
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
    apply: (orders, own = false) => {
      for (const order of orders) {
        const before = known.get(order.id);
        if (before && before.status !== 'PENDING' && order.status === 'PENDING') continue;
        const same = before?.status === order.status && before.createdAt === order.createdAt;
        if (same && before.own >= own) continue;
        known.set(order.id, { ...order, own: own || before?.own === true });
        changed = true;
      }
    },
    publish: () => {
      if (!changed) return;
      changed = false;
      const sorted = [...known.values()].sort((a, b) => b.createdAt - a.createdAt);
      const kept = sorted.slice(0, SHOWN_ORDERS);
      // An own order is looked for until it is settled, however many others come.
      const watched = sorted
        .slice(SHOWN_ORDERS)
        .filter(({ own, status }) => own && status === 'PENDING');
      known = new Map([...kept, ...watched].map((order) => [order.id, order]));
      newest.set(kept);
    },
  };
}
