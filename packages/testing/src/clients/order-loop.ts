import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { dataOf, type Graph } from './graph-client.ts';

export interface OrderLoop {
  /** Ids of the acknowledged orders, in order of acknowledgement. */
  readonly acknowledged: readonly string[];
  /** Messages of failed requests; each request is repeated until it is acknowledged. */
  readonly failures: readonly string[];
  /** Stops after the current order is acknowledged. */
  readonly stop: () => Promise<void>;
}

const MUTATION = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;

/**
 * Sends orders one after another with idempotency keys, and retries each until it is acknowledged.
 */
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
