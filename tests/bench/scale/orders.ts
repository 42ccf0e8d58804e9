import { eventually } from '../../system/eventually.ts';
import { dataOf, graphAt } from '../../system/graph-client.ts';
import type { MeasuredSystem } from './measured-system.ts';

const CLIENTS = 40;
const ORDER = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
const ASK =
  'query ($id: ID!) { orders(first: 20, productId: $id) { nodes { id status stock { name quantity } } } }';

/** So many orders through the gateways, 40 at a time; ends once all are decided and told. */
export async function settleOrders(
  { url, stockIds, system }: MeasuredSystem,
  count: number,
): Promise<void> {
  const graph = graphAt(`${url}/graphql`);
  await manyTimes(count, async (index) => {
    const input = { productId: stockIds[index % stockIds.length], quantity: 1 };
    await dataOf(graph(ORDER, { input }));
  });
  const { order } = system.databases;
  const open = `SELECT (SELECT count(*) FROM orders WHERE status = 'PENDING')
    + (SELECT count(*) FROM outbox) AS count`;
  await eventually(
    () => order(open),
    ([row]) => Number(row?.['count']) === 0,
    { until: 'all orders are decided', within: 120_000, every: 20 },
  );
}

/** So many queries of 20 orders with their stocks. */
export async function askQueries({ url, stockIds }: MeasuredSystem, count: number): Promise<void> {
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
