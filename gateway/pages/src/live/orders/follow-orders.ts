import type { LiveClient } from '@gudang/client';
import { send } from '../../graph/graph-client.ts';
import { sessionToken, tokenToSend } from '../../graph/session-token.ts';
import {
  ORDERS_CHANGED,
  ORDERS_QUERY,
  type OrderData,
  type OrdersChangedData,
  type OrdersData,
} from '../operations.ts';
import type { OrderState, OrderStore } from './order-store.ts';

/** Delay before the orders are queried again after a failure, in ms. */
const RETRY_MS = 2_000;

export interface FollowedOrders {
  /**
   * Whether the page may show the orders of all callers. This is the case if the graph answers the
   * query without a token.
   */
  readonly mayShowAll: () => boolean;
}

export function stateOf({ createdAt, cancelRequestedAt, ...order }: OrderData): OrderState {
  const isUndecided = order.status === 'PENDING' || order.status === 'CONFIRMED';
  return {
    ...order,
    createdAt: Date.parse(createdAt),
    isCancelling: isUndecided && cancelRequestedAt !== null,
  };
}

interface Options {
  readonly client: LiveClient;
  readonly orders: OrderStore;
  readonly onState: (order: OrderState) => void;
}

/**
 * Keeps the newest orders current: queries them, and subscribes to their changes from the cursor that
 * the query returned. Without a token, a graph that requires tokens shows no orders; the query is
 * repeated when a token is entered.
 */
export function followOrders(options: Options): FollowedOrders {
  const followed = new OrderFollower(options);
  sessionToken.subscribe(() => followed.tokenChanged());
  void followed.start();
  return { mayShowAll: () => followed.mayShowAll };
}

class OrderFollower {
  readonly #options: Options;
  #token: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unsubscribe: (() => void) | undefined;
  mayShowAll = false;

  constructor(options: Options) {
    this.#options = options;
  }

  tokenChanged(): void {
    if (tokenToSend() !== this.#token) void this.start();
  }

  /** Queries the newest orders, then subscribes from the cursor of this query. */
  async start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    const token = tokenToSend();
    this.#token = token;
    const isCurrent = (): boolean => this.#token === token && !this.#unsubscribe;
    try {
      const { data, errors } = await send<OrdersData>(this.#options.client, ORDERS_QUERY);
      if (!isCurrent()) return;
      if (data?.orders) this.#follow(data, token);
      else if (!errors.some(isLasting)) this.#retry();
    } catch {
      if (isCurrent()) this.#retry();
    }
  }

  #follow({ orders: { nodes }, orderCursor }: OrdersData, token: string | null): void {
    const { client, orders, onState } = this.#options;
    this.mayShowAll = token === null;
    for (const order of nodes) onState(stateOf(order));
    orders.publish();
    this.#unsubscribe = client.subscribe<OrdersChangedData>(ORDERS_CHANGED, null, {
      after: orderCursor,
      next: ({ data, snapshot }) => {
        if (data) onState(stateOf(data.ordersChanged.order));
        // A restored database may have orders in an earlier state, which the snapshot does not name.
        else if (snapshot?.phase === 'begin' && snapshot.reset) this.#startAgain(true);
      },
      error: () => this.#startAgain(false),
      complete: () => this.#startAgain(false),
    });
  }

  #startAgain(isReset: boolean): void {
    if (isReset) this.#options.orders.forget();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#retry();
  }

  #retry(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.start(), RETRY_MS);
  }
}

/** Whether the same query would fail again until another token is entered. */
function isLasting({ extensions }: { readonly extensions?: { readonly code?: string } }): boolean {
  return ['UNAUTHENTICATED', 'FORBIDDEN', 'GRAPHQL_VALIDATION_FAILED'].includes(
    extensions?.code ?? '',
  );
}
