import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { Kafka, logLevel } from 'kafkajs';
import { type BacklogSystem, startBacklogSystem } from '../backlog/backlog-system.ts';
import { sendOrders } from '../backlog/send-orders.ts';
import { watchSettling } from '../backlog/watch-settling.ts';
import type { Bench, BenchCase } from '../suite/bench-case.ts';
import { type CpuReading, cpuSpent, createCpuProbe } from '../suite/cpu-probe.ts';
import type { Figure } from '../suite/figure.ts';

const ORDERS = 50_000;
const ORDERS_QUICK = 10_000;
const SENT_AT_ONCE = 1_000;
const POLL_EVERY_MS = 100;
/** Time without a decision after which the backlog is considered stuck, in milliseconds. */
const STUCK_AFTER_MS = 30_000;
/** Limit of the CPU time of the stock subgraph and its database, in µs per order. */
const CPU_BAR = { atMost: 250 };

async function addStocks({ url }: ServiceProcess, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `backlog-${index}`);
  const graph = graphAt(`${url}/graphql`);
  const mutation = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
  for (const id of ids) {
    await dataOf(graph(mutation, { input: { id, name: id, quantity: 1_000_000_000 } }));
  }
  return ids;
}

/** Produces orders directly to the topic, as another system would, without the order subgraph. */
async function produce(broker: string, count: number, ids: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  for (let sent = 0; sent < count; sent += SENT_AT_ONCE) {
    const messages = Array.from({ length: Math.min(SENT_AT_ONCE, count - sent) }, (_, index) => {
      const id = ids[(sent + index) % ids.length] ?? '';
      const timestamp = new Date().toISOString();
      const order = { id: randomUUID(), product_id: id, quantity: 1, timestamp };
      return { key: id, value: JSON.stringify(order) };
    });
    await producer.send({ topic: 'order_created', messages });
  }
  await producer.disconnect();
}

interface Deciding {
  readonly at: number;
  readonly count: number;
  readonly cpu: CpuReading;
}

/**
 * Returns the time, the count and the CPU reading at the first observed decision and at the last.
 */
async function watchDeciding(
  { databases }: BacklogSystem,
  count: number,
  readCpu: () => Promise<CpuReading>,
): Promise<{ first: Deciding; last: Deciding }> {
  let first: Deciding | undefined;
  let moved = performance.now();
  let before = 0;
  for (;;) {
    const [row] = await databases.stock('SELECT count(*)::int AS n FROM decisions');
    const seen = { at: performance.now(), count: Number(row?.['n']), cpu: await readCpu() };
    if (seen.count > before) moved = seen.at;
    before = seen.count;
    if (seen.count > 0) first ??= seen;
    if (first && seen.count >= count) return { first, last: seen };
    if (performance.now() - moved > STUCK_AFTER_MS) {
      throw new Error(`Only ${seen.count} of ${count} orders were decided`);
    }
    await pause(POLL_EVERY_MS);
  }
}

/** Repeats a measurement and merges the figures, with one value per repetition. */
async function several(bench: Bench, once: () => Promise<Figure[]>): Promise<Figure[]> {
  const runs: Figure[][] = [];
  for (let run = 0; run < (bench.quick ? 1 : 3); run += 1) runs.push(await once());
  return (runs[0] ?? []).map((figure, index) => ({
    ...figure,
    values: runs.flatMap((of) => of[index]?.values ?? []),
  }));
}

/**
 * Measures the cost of decisions alone. The orders are already in the topic when the stock service
 * starts, and no order subgraph runs.
 */
function runAlone(bench: Bench, products: number): Promise<Figure[]> {
  const count = bench.quick ? ORDERS_QUICK : ORDERS;
  return several(bench, async () => {
    const system = await startBacklogSystem();
    try {
      const stock = await system.add('stock');
      await stock.ready();
      const ids = await addStocks(stock, products);
      await stock.stop();
      await produce(system.kafkaBroker, count, ids);
      await stock.restart();
      const readCpu = createCpuProbe({ stock: stock.pid }, system.postgresPid);
      const { first, last } = await watchDeciding(system, count, readCpu);
      const decided = last.count - first.count;
      const spent = cpuSpent(first.cpu, last.cpu);
      const of = (what: string): number => (1_000 * (spent.get(what) ?? 0)) / decided;
      const rate = (1_000 * decided) / (last.at - first.at);
      return [
        { name: 'decided', unit: '/s', values: [rate], bar: { atLeast: 5_000 } },
        { name: 'CPU stock', unit: 'µs', values: [of('stock')] },
        { name: 'CPU postgres stock_db', unit: 'µs', values: [of('postgres stock_db')] },
        {
          name: 'CPU of both',
          unit: 'µs',
          values: [of('stock') + of('postgres stock_db')],
          bar: CPU_BAR,
        },
        { name: 'CPU postgres writers', unit: 'µs', values: [of('postgres writers')] },
      ];
    } finally {
      await system.stop();
    }
  });
}

/**
 * Measures how all services together process a backlog. The orders are accepted while Kafka is
 * unavailable; the measurement begins when Kafka starts again.
 */
function runAll(bench: Bench, products: number): Promise<Figure[]> {
  const count = bench.quick ? ORDERS_QUICK : ORDERS;
  return several(bench, async () => {
    const system = await startBacklogSystem();
    try {
      const [order, stock] = await Promise.all([system.add('order'), system.add('stock')]);
      await Promise.all([order.ready(), stock.ready()]);
      const productIds = await addStocks(stock, products);
      await system.kafka.stop();
      await sendOrders([order], { count, productIds });
      const readCpu = createCpuProbe({ order: order.pid, stock: stock.pid }, system.postgresPid);
      const before = await readCpu();
      await system.kafka.start();
      const from = performance.now();
      const { decided, settled } = await watchSettling(system.databases, { count, from });
      if (settled.count < count)
        throw new Error(`Only ${settled.count} of ${count} orders were settled`);
      const figures: Figure[] = [
        { name: 'decided', unit: '/s', values: [decided.perSecond] },
        { name: 'settled', unit: '/s', values: [settled.perSecond] },
      ];
      for (const [what, ms] of cpuSpent(before, await readCpu())) {
        figures.push({ name: `CPU ${what}`, unit: 'µs', values: [(1_000 * ms) / count] });
      }
      return figures;
    } finally {
      await system.stop();
    }
  });
}

export const backlog: readonly BenchCase[] = [
  ...[1, 1_000].map((products) => ({
    name: `backlog-${products}`,
    about: `50,000 orders on ${products === 1 ? 'one product' : '1,000 products'} wait for the stock service; no order-subgraph`,
    run: (bench: Bench) => runAlone(bench, products),
  })),
  {
    name: 'backlog-all',
    about: '50,000 orders on 1,000 products accepted while Kafka was down; all services run',
    run: (bench) => runAll(bench, 1_000),
  },
];
