import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { dataOf, type Graph } from './graph-client.ts';

export interface OrderLoop {
  /** The ids of the orders that were answered, in that order. */
  readonly acknowledged: readonly string[];
  /** Requests that failed; each was sent again until it was answered. */
  readonly failures: readonly string[];
  /** Ends it, once the order on its way is answered. */
  readonly stop: () => Promise<void>;
}

const MUTATION = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;

/** Orders one piece after the other, as an app does that repeats what was not answered. */
export function startOrderLoop({
  graph,
  productId,
  everyMs = 15,
}: {
  graph: Graph;
  productId: string;
  everyMs?: number;
}): OrderLoop {
  const acknowledged: string[] = [];
  const failures: string[] = [];
  let stopping = false;

  const ended = (async () => {
    while (!stopping) {
      const input = { productId, quantity: 1, idempotencyKey: randomUUID() };
      for (let answered = false; !answered; ) {
        try {
          acknowledged.push((await dataOf(graph(MUTATION, { input }))).createOrder.id);
          answered = true;
        } catch (error) {
          failures.push((error as Error).message);
          await pause(50);
        }
      }
      await pause(everyMs);
    }
  })();

  return {
    acknowledged,
    failures,
    stop: async () => {
      stopping = true;
      await ended;
    },
  };
}
