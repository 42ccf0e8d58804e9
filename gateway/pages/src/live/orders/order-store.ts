import { createSignal, type Signal } from '../../signal.ts';

export type OrderStatus = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';

export interface OrderState {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: OrderStatus;
  readonly rejectionReason: 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT' | null;
  /** Time at which the order was accepted, in ms since 1970. */
  readonly createdAt: number;
  /** 0 if the state comes from the change of a stock, which shows only the decision. */
  readonly version: number;
  /** Whether the cancellation is requested and not decided. */
  readonly isCancelling: boolean;
}

/** Whether the order or its cancellation is not decided yet. */
export function mayChange({ status, isCancelling }: OrderState): boolean {
  return status === 'PENDING' || isCancelling;
}

/** A status never changes to one with a lower or the same number, except to itself. */
const STEP = { PENDING: 0, CONFIRMED: 1, REJECTED: 1, CANCELLED: 2 } as const;

function isNewer(order: OrderState, before: OrderState): boolean {
  const steps = STEP[order.status] - STEP[before.status];
  return steps > 0 || (steps === 0 && order.version > before.version);
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
   * Stores states of orders, unless they are older than the stored ones. The states become visible
   * at the next call of `publish`.
   */
  readonly apply: (orders: readonly OrderState[], isOwn?: boolean) => void;
  /** Updates `newest`, if a state changed since the last call. */
  readonly publish: () => void;
  /**
   * Forgets all states, so that earlier ones can replace them: the database was restored. What is
   * shown stays until the next state is published.
   */
  readonly forget: () => void;
}

export const SHOWN_ORDERS = 40;

export function createOrderStore(): OrderStore {
  let known = new Map<string, ShownOrder>();
  let changed = false;
  let ownBefore: ReadonlySet<string> = new Set();
  const newest = createSignal<readonly ShownOrder[]>([]);
  return {
    newest,
    get: (id) => known.get(id),
    apply: (orders, isOwn = false) => {
      for (const order of orders) {
        const before = known.get(order.id);
        const isKnown = before !== undefined && !isNewer(order, before);
        if (isKnown && (before.isOwn || !isOwn)) continue;
        const state = isKnown ? before : order;
        const wasOwn = before?.isOwn ?? ownBefore.has(order.id);
        known.set(order.id, { ...state, isOwn: isOwn || wasOwn });
        changed = true;
      }
    },
    publish: () => {
      if (!changed) return;
      changed = false;
      const sorted = [...known.values()].sort((a, b) => b.createdAt - a.createdAt);
      const shown = sorted.slice(0, SHOWN_ORDERS);
      // This page's own undecided orders stay in the store, regardless of the number of newer orders.
      const ownPending = sorted
        .slice(SHOWN_ORDERS)
        .filter((order) => order.isOwn && mayChange(order));
      known = new Map([...shown, ...ownPending].map((order) => [order.id, order]));
      newest.set(shown);
    },
    forget: () => {
      ownBefore = new Set([...known.values()].filter(({ isOwn }) => isOwn).map(({ id }) => id));
      known = new Map();
    },
  };
}
