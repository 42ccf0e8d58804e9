import { type GraphError, unavailableServices } from '../../graph/graph-errors.ts';
import { type NoAnswerError, sendOperation } from '../../graph/send-operation.ts';
import { authorization } from '../../graph/session-token.ts';
import type { ReconnectingClient } from '../connection/reconnecting-client.ts';
import {
  ORDERS_CHANGED,
  ORDERS_QUERY,
  type OrderData,
  type OrdersChangedData,
  type OrdersData,
  SERVICES_QUERY,
} from '../operations.ts';
import type { OrderState, OrderStore } from './order-store.ts';

/** Interval between checks whether the services answer, in ms. The checks read no orders. */
const CHECK_EVERY_MS = 3_000;
/**
 * Interval between checks while a service is unavailable, in ms. It is shorter than the usual
 * interval, so that the page soon shows that the service is available again.
 */
const RETRY_MS = 1_000;
const NO_ORDER = '00000000-0000-0000-0000-000000000000';

export interface FollowedOrders {
  /** Queries the newest orders now, for example after a reconnect. */
  readonly queryNow: () => void;
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
  readonly client: ReconnectingClient;
  readonly orders: OrderStore;
  readonly onState: (order: OrderState) => void;
  /** @param services services that did not answer; empty if all services answered */
  readonly onUnavailable: (services: string[]) => void;
}

/**
 * Keeps the newest orders current: queries them at each connection, and subscribes to their changes from the
 * cursor that the first query returned. Checks regularly whether the services answer.
 */
export function followOrders(options: Options): FollowedOrders {
  const followed = new OrderFollower(options);
  followed.queryNow();
  return { queryNow: () => followed.queryNow(), mayShowAll: () => followed.mayShowAll };
}

class OrderFollower {
  readonly #options: Options;
  /** Whether the newest orders must be queried before the stream alone keeps them current. */
  #mustQuery = true;
  #isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cursor: string | undefined;
  #unsubscribe: (() => void) | undefined;
  mayShowAll = false;

  constructor(options: Options) {
    this.#options = options;
  }

  queryNow(): void {
    this.#mustQuery = true;
    void this.#askNow();
  }

  async #askNow(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isAsking) return;
    this.#isAsking = true;
    const isWell = document.hidden || (await this.#ask().catch((_error: NoAnswerError) => false));
    this.#isAsking = false;
    this.#timer = setTimeout(() => void this.#askNow(), isWell ? CHECK_EVERY_MS : RETRY_MS);
  }

  /** @returns whether all services answered */
  async #ask(): Promise<boolean> {
    const isQuery = this.#mustQuery;
    this.#mustQuery = false;
    const errors = await (isQuery ? this.#query() : this.#check()).catch((error: unknown) => {
      this.#mustQuery ||= isQuery;
      throw error;
    });
    // The stream of a caller without a token has no orders, until a token is entered.
    if (isQuery && errors.length > 0) this.#mustQuery = true;
    const unavailable = unavailableServices(errors);
    this.#options.onUnavailable(unavailable);
    return unavailable.length === 0;
  }

  async #check(): Promise<readonly GraphError[]> {
    const { errors } = await sendOperation(SERVICES_QUERY, { stock: '-', order: NO_ORDER });
    return errors;
  }

  async #query(): Promise<readonly GraphError[]> {
    const { orders, onState } = this.#options;
    const { data, errors } = await sendOperation<OrdersData>(ORDERS_QUERY, { stock: '-' });
    if (!data?.orders) return errors;
    this.mayShowAll = authorization().authorization === undefined;
    for (const order of data.orders.nodes) onState(stateOf(order));
    orders.publish();
    this.#cursor ??= data.orderCursor;
    this.#unsubscribe ??= this.#subscribe();
    return errors;
  }

  /** Each new connection resumes from the cursor of the last change. */
  #subscribe(): () => void {
    const { client, onState } = this.#options;
    return client.subscribe<OrdersChangedData>(
      ORDERS_CHANGED,
      () => ({ after: this.#cursor }),
      ({ ordersChanged }) => {
        this.#cursor = ordersChanged.cursor;
        onState(stateOf(ordersChanged.order));
      },
      { onErrors: (errors) => this.#startAgain(errors) },
    );
  }

  /** Queries the orders again if the stream can't continue: the cursor is too old, or the token is refused. */
  #startAgain(errors: readonly GraphError[]): void {
    if (unavailableServices(errors).length > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#cursor = undefined;
    this.#mustQuery = true;
  }
}
