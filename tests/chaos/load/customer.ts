import { setTimeout as pause } from 'node:timers/promises';
import type { Acknowledged, Adjusted } from '../history.ts';
import { type Outcome, sendGraphRequest } from './graph-request.ts';

const CREATE_ORDER = `mutation ($input: CreateOrderInput!) {
  createOrder(input: $input) { id productId quantity }
}`;
const ADJUST_STOCK = `mutation ($id: ID!, $delta: Int!, $reason: String!) {
  adjustStock(id: $id, delta: $delta, reason: $reason) { version }
}`;
const CANCEL_ORDER = `mutation ($id: ID!, $key: String) {
  cancelOrder(id: $id, reason: "chaos", idempotencyKey: $key) { id }
}`;
const ADD_STOCK = `mutation ($input: AddStockInput!) { addStock(input: $input) { version } }`;

export interface OrderInput {
  readonly productId: string;
  readonly quantity: number;
  readonly idempotencyKey: string | null;
}

/** A client that sends a failed request to the next replica, if the request can be retried. */
export interface Customer {
  /**
   * Sends an order repeatedly until it is acknowledged, cannot be retried, or times out. An order without
   * an idempotency key cannot be retried if the request may have had an effect.
   * @returns undefined if the order was not acknowledged
   */
  readonly order: (input: OrderInput) => Promise<Acknowledged | undefined>;
  /**
   * Requests the cancellation of an order repeatedly until the request is acknowledged or times out.
   * @returns whether the request was acknowledged
   */
  readonly cancel: (orderId: string, key: string | null) => Promise<boolean>;
  readonly adjust: (stockId: string, delta: number, reason: string) => Promise<Adjusted>;
  readonly addStock: (id: string, quantity: number) => Promise<void>;
  /** Number of failed attempts by error code. */
  readonly failures: ReadonlyMap<string, number>;
}

type Address = { readonly url: string };

/** Time-out of all attempts of one order together, in milliseconds. */
const GIVE_UP_AFTER_MS = 90_000;
const BETWEEN_ROUNDS_MS = 100;

export function createCustomer({
  orders,
  stocks,
}: {
  orders: () => readonly Address[];
  stocks: () => readonly Address[];
}): Customer {
  const failures = new Map<string, number>();
  let turn = 0;

  /** Sends a request to one replica after another until it succeeds, `again` returns false, or time is up. */
  const sendToAny = async <T>(
    replicas: () => readonly Address[],
    query: string,
    variables: object,
    again: (failed: Exclude<Outcome<T>, { kind: 'data' }>) => boolean,
  ): Promise<{ data: T; answeredIn: number } | undefined> => {
    const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
    for (let tries = 1; performance.now() < giveUpAt; tries += 1) {
      turn += 1;
      const all = replicas();
      const began = performance.now();
      const outcome = await sendGraphRequest<T>(
        all[turn % all.length]?.url ?? '',
        query,
        variables,
      );
      if (outcome.kind === 'data') {
        return { data: outcome.data, answeredIn: performance.now() - began };
      }
      failures.set(outcome.why, (failures.get(outcome.why) ?? 0) + 1);
      if (!again(outcome)) return undefined;
      if (tries % all.length === 0) await pause(BETWEEN_ROUNDS_MS);
    }
    return undefined;
  };

  return {
    failures,
    order: async (input) => {
      const { idempotencyKey, productId, quantity } = input;
      const began = performance.now();
      const answer = await sendToAny<{ createOrder: { id: string } }>(
        orders,
        CREATE_ORDER,
        { input: { productId, quantity, ...(idempotencyKey === null ? {} : { idempotencyKey }) } },
        ({ kind, why }) =>
          why !== 'IDEMPOTENCY_CONFLICT' && (kind === 'refused' || idempotencyKey !== null),
      );
      if (!answer) return undefined;
      const { id } = answer.data.createOrder;
      const latency = performance.now() - began;
      return { ...input, id, latency, answeredIn: answer.answeredIn };
    },
    cancel: async (id, key) => {
      const answer = await sendToAny<{ cancelOrder: { id: string } }>(
        orders,
        CANCEL_ORDER,
        { id, key },
        () => true,
      );
      return answer?.data.cancelOrder.id === id;
    },
    adjust: async (stockId, delta, reason) => {
      const answer = await sendToAny(
        stocks,
        ADJUST_STOCK,
        { id: stockId, delta, reason },
        ({ why }) => why === 'ECONNREFUSED',
      );
      return { stockId, delta, reason, acknowledged: answer !== undefined };
    },
    addStock: async (id, quantity) => {
      const input = { id, name: id, quantity };
      const answer = await sendToAny(stocks, ADD_STOCK, { input }, () => true);
      if (!answer) throw new Error(`Adding the stock ${id} failed`);
    },
  };
}
