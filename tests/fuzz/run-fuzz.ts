import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { createRandom, seedOf } from '@gudang/testing/random';
import type { FuzzCase, Target } from './case.ts';
import { cursors } from './cases/cursors.ts';
import { documents } from './cases/documents.ts';
import { httpRequests } from './cases/http-requests.ts';
import { kafkaRecords, stopProducing } from './cases/kafka-records.ts';
import { restRequests } from './cases/rest-requests.ts';
import { tokens } from './cases/tokens.ts';
import { websocketFrames } from './cases/websocket-frames.ts';

/** All kinds of cases, which run equally often. */
const KINDS: Readonly<Record<string, FuzzCase>> = {
  documents,
  'http requests': httpRequests,
  'websocket frames': websocketFrames,
  'kafka records': kafkaRecords,
  'rest requests': restRequests,
  tokens,
  cursors,
};
const AT_ONCE = 8;

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  /** Number of the first case; default: 0. A case is reproducible by its number and the seed. */
  readonly from?: number;
}

/** Sends hostile inputs. @returns the findings, one line each */
export async function runFuzz(
  target: Target,
  { seed, cases, from = 0 }: FuzzOptions,
): Promise<string[]> {
  const findings: string[] = [];
  const kinds = Object.entries(KINDS);
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < from + cases) {
      const number = next;
      next += 1;
      const [kind, run] = kinds[number % kinds.length] as (typeof kinds)[number];
      const random = createRandom(seedOf(seed, `${kind} ${number}`));
      const finding = await run(random, target).catch(
        (error: unknown) => `the case failed: ${error}`,
      );
      if (finding !== undefined) findings.push(`case ${number} (${kind}): ${finding}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await stopProducing(target.system);
  return [...findings, ...(await findBroken(target))];
}

/** Checks that all processes run and that a valid order is decided. @returns the findings, one line each */
async function findBroken({ system, authorization }: Target): Promise<string[]> {
  const ended = system.parts().filter((part) => !part.running());
  if (ended.length > 0) return ended.map(({ name }) => `${name} has ended`);
  const graph = graphAt(`${system.gateway.url}/graphql`, authorization);
  const id = `valid-${Date.now()}`;
  const add = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
  await dataOf(graph(add, { input: { id, name: 'Sound', quantity: 5 } }));
  const order = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
  const { createOrder } = await dataOf(graph(order, { input: { productId: id, quantity: 2 } }));
  const status = async () => {
    const query = 'query ($id: ID!) { order(id: $id) { status } }';
    return (await dataOf(graph(query, { id: createOrder.id }))).order?.status;
  };
  try {
    await eventually(status, (one) => one === 'CONFIRMED', {
      until: 'an order is confirmed',
      within: 60_000,
    });
    return [];
  } catch (error) {
    return [String(error)];
  }
}
