import { randomUUID } from 'node:crypto';
import { type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import type { ServiceProcess } from '@gudang/testing/system/service-process';

const AT_ONCE = 20;
const MUTATION = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';

export interface Taken {
  /** How long each answer took, in milliseconds, the shortest first. */
  readonly answers: readonly number[];
  /** Why orders were refused, each reason once. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Orders one piece so many times, 20 at once, from all the given services in turn. */
export async function takeOrders(
  services: readonly ServiceProcess[],
  { count, productIds }: { count: number; productIds: readonly string[] },
): Promise<Taken> {
  const graphs: Graph[] = services.map((service) => graphAt(() => `${service.url}/graphql`));
  const answers: number[] = [];
  const refusals = new Map<string, number>();
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
        answers.push(performance.now() - from);
      } catch (error) {
        const why = (error as Error).message;
        refusals.set(why, (refusals.get(why) ?? 0) + 1);
      }
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - from) / 1_000;
  return { answers: answers.sort((one, other) => one - other), refusals, seconds };
}
