import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type DemoGraph, isAccessError, reasonOf } from './demo-graph.ts';

const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const RETRY_MS = 500;
/**
 * Maximum number of unanswered orders. At this limit, no further order is sent. The number of retries at
 * the end of an outage is thus limited too.
 */
const UNANSWERED_LIMIT = 200;

export interface OrderRequest {
  readonly productId: string;
  readonly quantity: number;
}

export interface OrderSender {
  /**
   * Sends an order with an idempotency key and retries until it is acknowledged.
   * @returns the order's id; undefined if the order was abandoned, or was not sent because too many
   * orders are unanswered
   */
  readonly send: (request: OrderRequest) => Promise<string | undefined>;
  readonly unanswered: () => number;
  /** Whether the last request failed. */
  readonly isUnavailable: () => boolean;
  /** Stops the retries of all unanswered orders. */
  readonly abandon: () => void;
}

/** @param print called when requests start to fail, and when they succeed again */
export function createOrderSender(graph: DemoGraph, print: (text: string) => void): OrderSender {
  const leaving = new AbortController();
  // Each unanswered order adds a listener, so Node's warning about many listeners is disabled.
  setMaxListeners(0, leaving.signal);
  let away = false;
  let unanswered = 0;

  const repeat = async (input: object): Promise<string | undefined> => {
    while (!leaving.signal.aborted) {
      const { id, problem } = await sendOnce(graph, input);
      if (away !== (problem !== undefined)) {
        away = problem !== undefined;
        print(away ? `${problem}. Retrying.` : 'The gateway is available again');
      }
      if (id !== undefined) return id;
      await pause(RETRY_MS, undefined, { signal: leaving.signal }).catch(() => {});
    }
    return undefined;
  };
  return {
    send: async (request) => {
      if (unanswered >= UNANSWERED_LIMIT) return undefined;
      unanswered += 1;
      try {
        return await repeat({ ...request, idempotencyKey: randomUUID() });
      } finally {
        unanswered -= 1;
      }
    },
    unanswered: () => unanswered,
    isUnavailable: () => away,
    abandon: () => leaving.abort(),
  };
}

/** Sends an order once. Resolves to the order's id, or to the problem if the request failed. */
async function sendOnce(
  { send }: DemoGraph,
  input: object,
): Promise<{ id?: string; problem?: string }> {
  const unavailable = (reason: string) => ({
    problem: `The gateway is unavailable (${reason})`,
  });
  try {
    const { data, errors } = await send(ORDER, { input });
    if (data) return { id: data.createOrder.id };
    const [error] = errors ?? [];
    return error && isAccessError(error)
      ? { problem: `The gateway refuses the token (${error.message})` }
      : unavailable(error?.message ?? 'no data');
  } catch (error) {
    return unavailable(reasonOf(error as Error));
  }
}
