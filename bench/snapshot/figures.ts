import { randomUUID } from 'node:crypto';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import type { SnapshotSystem } from './snapshot-system.ts';

export interface Figures {
  /** Median and 99th percentile of the time from an order's creation to its final status. */
  readonly settledMs: number;
  readonly slowestMs: number;
  /** Rows that the relay of order_db sends. */
  readonly sentPerSecond: number;
  /** Duration of a scrape of both services. */
  readonly metricsMs: number;
  /** `gudang_outbox_oldest_seconds` of order_db, while an event of 60 s ago waits. */
  readonly oldestSeconds: number;
}

const CREATE = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;
const ADD = `mutation ($input: AddStockInput!) { addStock(input: $input) { id } }`;

export async function measureFigures(
  system: SnapshotSystem,
  { orders, sent }: { orders: number; sent: number },
): Promise<Figures> {
  const times = await settleOrders(system, orders);
  return {
    settledMs: times[Math.floor(times.length / 2)] ?? Number.NaN,
    slowestMs: times[Math.floor(times.length * 0.99)] ?? Number.NaN,
    sentPerSecond: await sendRows(system, sent),
    ...(await scrape(system)),
  };
}

/** Returns the times that orders take to settle, one after another, in ascending order. */
async function settleOrders({ order, stock }: SnapshotSystem, count: number): Promise<number[]> {
  const graph = graphAt(`${order.url}/graphql`);
  // A stock for each measurement: the versions of a stock's row are dead rows too.
  const id = randomUUID();
  const input = { id, name: id, quantity: count };
  await dataOf(graphAt(`${stock.url}/graphql`)(ADD, { input }));
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const began = performance.now();
    const created = await dataOf(graph(CREATE, { input: { productId: id, quantity: 1 } }));
    const read = `{ order(id: "${created.createOrder.id}") { status } }`;
    while ((await dataOf(graph(read))).order.status === 'PENDING');
    times.push(performance.now() - began);
  }
  return times.sort((one, other) => one - other);
}

/** Returns the number of rows per second that the relay of order_db sends. */
async function sendRows({ databases, topic }: SnapshotSystem, count: number): Promise<number> {
  const began = performance.now();
  const [range] = await databases.order(
    `WITH inserted AS (
       INSERT INTO outbox (topic, key, value)
       SELECT $1, convert_to(n::text, 'UTF8'), convert_to(repeat('x', 250), 'UTF8')
       FROM generate_series(1, $2) AS n RETURNING id
     ) SELECT max(id) AS last FROM inserted`,
    [topic, count],
  );
  await databases.order('NOTIFY outbox');
  await eventually(
    () => databases.order('SELECT FROM outbox WHERE id = $1', [range?.['last']]),
    (rows) => rows.length === 0,
    { until: 'all rows are sent', within: 120_000, every: 10 },
  );
  return (1_000 * count) / (performance.now() - began);
}

/** Measures a scrape of both services while an old event waits that the broker cannot take. */
async function scrape({ databases, order, stock }: SnapshotSystem) {
  const [row] = await databases.order(
    `INSERT INTO outbox (topic, created_at) VALUES ('bench_missing', now() - interval '60 s')
     RETURNING id`,
  );
  const began = performance.now();
  const [body] = await Promise.all(
    [order, stock].map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
  );
  const metricsMs = performance.now() - began;
  await databases.order('DELETE FROM outbox WHERE id = $1', [row?.['id']]);
  const value = /^gudang_outbox_oldest_seconds\{[^}]*\} (\S+)$/m.exec(body ?? '')?.[1];
  return { metricsMs, oldestSeconds: Number(value) };
}
