import { randomUUID } from 'node:crypto';
import { type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import type { ServiceProcess } from '@gudang/testing/system/service-process';

const AT_ONCE = 20;
const MUTATION = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';

export interface SentOrders {
  /** Latencies of successful requests in milliseconds, ascending. */
  readonly latencies: readonly number[];
  /** Number of failed requests by message. */
  readonly errors: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Sends `count` orders of one unit, 20 concurrently, to the given services in turn. */
export async function sendOrders(
  services: readonly ServiceProcess[],
  { count, productIds }: { count: number; productIds: readonly string[] },
): Promise<SentOrders> {
  const graphs: Graph[] = services.map((service) => graphAt(() => `${service.url}/graphql`));
  const latencies: number[] = [];
  const errorCounts = new Map<string, number>();
  let begun = 0;

  const worker = async (): Promise<void> => {
    while (begun < count) {
      const number = begun;
      begun += 1;
      const productId = productIds[number % productIds.length] ?? '';
      const input = { productId, quantity: 1, idempotencyKey: randomUUID() };
      const graph = graphs[number % graphs.length] as Graph;
      const from = performance.now();
      try {
        const { errors } = await graph(MUTATION, { input });
        if (errors?.[0]) throw new Error(errors[0].message);
        latencies.push(performance.now() - from);
      } catch (error) {
        const why = (error as Error).message;
        errorCounts.set(why, (errorCounts.get(why) ?? 0) + 1);
      }
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - from) / 1_000;
  return { latencies: latencies.sort((one, other) => one - other), errors: errorCounts, seconds };
}
