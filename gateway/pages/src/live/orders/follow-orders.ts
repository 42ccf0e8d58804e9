import { unavailableServices } from '../../graph/graph-errors.ts';
import { type NoAnswerError, sendOperation } from '../../graph/send-operation.ts';
import { authorization } from '../../graph/session-token.ts';
import type { ReconnectingClient } from '../connection/reconnecting-client.ts';
import {
  ORDER_CHANGED,
  ORDERS_QUERY,
  type OrderChangedData,
  type OrderData,
  type OrdersData,
} from '../operations.ts';
import { mayChange, type OrderState, type OrderStore } from './order-store.ts';

/**
 * Interval between queries, in ms. The graph has no stream of all orders, so the page queries the
 * newest orders.
 */
const QUERY_EVERY_MS = 3_000;
/**
 * Interval between queries while a service is unavailable, in ms. It is shorter than the usual
 * interval, so that the page soon shows that the service is available again.
 */
const RETRY_MS = 1_000;
/**
 * Maximum number of orders that are followed by subscription. The limit does not apply to orders
 * that this page places.
 */
const MAX_FOLLOWED = 12;

export interface FollowedOrders {
  /** Queries now, for example after a reconnect. */
  readonly queryNow: () => void;
  /** Subscribes to an order until it and its cancellation are decided. */
  readonly follow: (id: string) => void;
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

/** Keeps the newest orders up to date, by query and by subscriptions to pending orders. */
export function followOrders({
  client,
  orders,
  onState,
  onUnavailable,
}: {
  client: ReconnectingClient;
  orders: OrderStore;
  onState: (order: OrderState) => void;
  /** @param services services that did not answer; empty if all services answered */
  onUnavailable: (services: string[]) => void;
}): FollowedOrders {
  const followed = new Map<string, () => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isQuerying = false;
  let mayShowAll = false;

  const unfollow = (id: string): void => {
    followed.get(id)?.();
    followed.delete(id);
  };
  const follow = (id: string): void => {
    if (followed.has(id)) return;
    const stop = client.subscribe<OrderChangedData>(
      ORDER_CHANGED,
      () => ({ id }),
      ({ orderChanged }) => {
        if (!orderChanged) return;
        const state = stateOf(orderChanged);
        onState(state);
        if (!mayChange(state)) unfollow(id);
      },
      { once: true },
    );
    followed.set(id, stop);
  };
  /** @returns whether all services answered */
  const query = async (): Promise<boolean> => {
    const { data, errors } = await sendOperation<OrdersData>(ORDERS_QUERY, { probe: '-' });
    const unavailable = unavailableServices(errors);
    onUnavailable(unavailable);
    if (data?.orders) mayShowAll = authorization().authorization === undefined;
    for (const order of data?.orders.nodes ?? []) onState(stateOf(order));
    orders.publish();
    for (const order of orders.newest.get()) {
      if (mayChange(order) && followed.size < MAX_FOLLOWED) follow(order.id);
    }
    return unavailable.length === 0;
  };
  const queryNow = async (): Promise<void> => {
    clearTimeout(timer);
    if (isQuerying) return;
    isQuerying = true;
    const isWell = document.hidden || (await query().catch((_error: NoAnswerError) => false));
    isQuerying = false;
    timer = setTimeout(queryNow, isWell ? QUERY_EVERY_MS : RETRY_MS);
  };
  void queryNow();
  return { queryNow: () => void queryNow(), follow, mayShowAll: () => mayShowAll };
}
