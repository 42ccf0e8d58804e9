import { ask, type NoAnswer } from '../../graph/send-operation.ts';
import { type GraphError, unavailableServices } from '../../graph/graph-errors.ts';
import type { LastingClient } from '../connection/reconnecting-client.ts';
import {
  ORDER_CHANGED,
  ORDERS_QUERY,
  type OrderChangedData,
  type OrderData,
  type OrdersData,
} from '../operations.ts';
import { authorization } from '../../graph/session-token.ts';
import type { OrderState, OrderStore } from './order-store.ts';

/** The graph has no stream of all orders: confirmed ones come with their stock, others by asking. */
const ASK_EVERY_MS = 3_000;
/** While a service is away, so that the page heals soon. */
const ASK_SOON_MS = 1_000;
/** Pending orders of others that are followed at a time; the rest is asked for. */
const FOLLOWED = 12;

export interface FollowedOrders {
  /** Asks now, as after a connection came back. */
  readonly askNow: () => void;
  /** Follows an order until it is settled. */
  readonly follow: (id: string) => void;
  /** Whether whoever looks may see everybody's orders: the graph answers without a token. */
  readonly ofEverybody: () => boolean;
}

export function stateOf({ createdAt, ...order }: OrderData): OrderState {
  return { ...order, createdAt: Date.parse(createdAt) };
}

export function followOrders({
  client,
  orders,
  onState,
  onUnavailable,
}: {
  client: LastingClient;
  orders: OrderStore;
  onState: (order: OrderState) => void;
  /** @param services those that could not be asked, empty when all answer */
  onUnavailable: (services: string[]) => void;
}): FollowedOrders {
  const followed = new Map<string, () => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;
  let ofEverybody = false;

  const end = (id: string): void => {
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
        onState(stateOf(orderChanged));
        if (orderChanged.status !== 'PENDING') end(id);
      },
      { once: true },
    );
    followed.set(id, stop);
  };
  const askOnce = async (): Promise<boolean> => {
    const { data, errors } = await ask<OrdersData>(ORDERS_QUERY, { probe: '-' });
    const unavailable = unavailableServices(errors as GraphError[]);
    onUnavailable(unavailable);
    if (data?.orders) ofEverybody = authorization().authorization === undefined;
    for (const order of data?.orders.nodes ?? []) onState(stateOf(order));
    orders.publish();
    for (const { id, status } of orders.newest.get()) {
      if (status === 'PENDING' && followed.size < FOLLOWED) follow(id);
    }
    return unavailable.length === 0;
  };
  const askNow = async (): Promise<void> => {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    const well = document.hidden || (await askOnce().catch((_error: NoAnswer) => false));
    asking = false;
    timer = setTimeout(askNow, well ? ASK_EVERY_MS : ASK_SOON_MS);
  };
  void askNow();
  return { askNow: () => void askNow(), follow, ofEverybody: () => ofEverybody };
}
