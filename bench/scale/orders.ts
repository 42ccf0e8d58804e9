import { setTimeout as pause } from 'node:timers/promises';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import type { MeasuredSystem } from './measured-system.ts';

const CLIENTS = 40;
const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const ASK =
  'query ($id: ID!) { orders(first: 20, productId: $id) { nodes { id status stock { name quantity } } } }';

/**
 * Sends orders through the gateways, 40 concurrently; resolves once all are decided and published.
 */
export async function settleOrders(
  { url, stockIds, system }: MeasuredSystem,
  count: number,
): Promise<void> {
  const graph = graphAt(`${url}/graphql`);
  await manyTimes(count, async (index) => {
    const input = { productId: stockIds[index % stockIds.length], quantity: 1 };
    await dataOf(graph(ORDER, { input }));
  });
  await allPublished(system);
}

/**
 * Sends orders at a steady rate without waiting for responses; resolves once all are decided and
 * published.
 * @returns delay of the last order in milliseconds; the delay grows if this process cannot send at
 *   the requested rate
 */
export async function paceOrders(
  { url, stockIds, system }: MeasuredSystem,
  { count, ordersPerSecond }: { count: number; ordersPerSecond: number },
): Promise<number> {
  const graph = graphAt(`${url}/graphql`);
  const from = performance.now();
  const answers: Promise<unknown>[] = [];
  let late = 0;
  for (let index = 0; index < count; index += 1) {
    const due = from + (index * 1_000) / ordersPerSecond;
    await pause(Math.max(0, due - performance.now()));
    late = performance.now() - due;
    const input = { productId: stockIds[index % stockIds.length], quantity: 1 };
    answers.push(dataOf(graph(ORDER, { input })));
  }
  await Promise.all(answers);
  await allPublished(system);
  return late;
}

async function allPublished({ databases }: MeasuredSystem['system']): Promise<void> {
  const open = `SELECT (SELECT count(*) FROM orders WHERE status = 'PENDING')
    + (SELECT count(*) FROM outbox) AS count`;
  await eventually(
    () => databases.order(open),
    ([row]) => Number(row?.['count']) === 0,
    { until: 'all orders are decided', within: 120_000, every: 20 },
  );
}

/** Sends queries for 20 orders with their stocks. */
export async function sendQueries({ url, stockIds }: MeasuredSystem, count: number): Promise<void> {
  const graph = graphAt(`${url}/graphql`);
  await manyTimes(count, async (index) => {
    await dataOf(graph(ASK, { id: stockIds[index % stockIds.length] }));
  });
}

async function manyTimes(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let begun = 0;
  const client = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      await work(begun);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}
