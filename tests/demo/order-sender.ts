import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Graph } from '@gudang/testing/clients/graph-client';

const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const RETRY_MS = 500;
/** Orders whose answer has not come: beyond it none is sent, so that an outage ends with no flood. */
const UNANSWERED_LIMIT = 200;

export interface Wanted {
  readonly productId: string;
  readonly quantity: number;
}

export interface OrderSender {
  /**
   * Sends an order again and again, with its idempotency key, until it is answered.
   * @returns its id; undefined when it was given up, or not sent because too many wait already
   */
  readonly send: (wanted: Wanted) => Promise<string | undefined>;
  readonly unanswered: () => number;
  /** Whether the last request failed. */
  readonly isAway: () => boolean;
  /** Gives up what is not answered. */
  readonly leave: () => void;
}

/** @param say is told when answers stop coming, and when they come again */
export function createOrderSender(graph: Graph, say: (text: string) => void): OrderSender {
  const leaving = new AbortController();
  // Each order on its way listens.
  setMaxListeners(0, leaving.signal);
  let away = false;
  let unanswered = 0;

  const repeat = async (input: object): Promise<string | undefined> => {
    while (!leaving.signal.aborted) {
      const { id, problem } = await sendOnce(graph, input);
      if (away !== (problem !== undefined)) {
        away = problem !== undefined;
        say(away ? `No answer (${problem}); orders are repeated` : 'Answers again');
      }
      if (id !== undefined) return id;
      await pause(RETRY_MS, undefined, { signal: leaving.signal }).catch(() => {});
    }
    return undefined;
  };
  return {
    send: async (wanted) => {
      if (unanswered >= UNANSWERED_LIMIT) return undefined;
      unanswered += 1;
      try {
        return await repeat({ ...wanted, idempotencyKey: randomUUID() });
      } finally {
        unanswered -= 1;
      }
    },
    unanswered: () => unanswered,
    isAway: () => away,
    leave: () => leaving.abort(),
  };
}

/** The order's id, or what stood in the way. */
async function sendOnce(graph: Graph, input: object): Promise<{ id?: string; problem?: string }> {
  try {
    const { data, errors } = await graph(ORDER, { input });
    return data ? { id: data.createOrder.id } : { problem: errors?.[0]?.message ?? 'no data' };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    return { problem: cause?.code ?? message };
  }
}
