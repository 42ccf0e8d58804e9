/**
 * Measures the time from createOrder's response to the change at a subscriber of the gateway, in
 * the whole system at 50 orders per second. `npm run bench:live-latency -- [seconds]` measures for
 * 30 seconds by default.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks, quantile } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { startStockSubscribers } from '@gudang/testing/clients/stock-subscribers';
import { addStocks, withBenchSystem } from '@gudang/testing/system/bench-system';
import { readStages } from './live/stages.ts';

const SECONDS = Number(argv[2] ?? 30);
const PER_SECOND = 50;
const STOCKS = 10;
const WARM_UP_S = 10;
const MUTATION =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id createdAt } }';

const UNKNOWN = { sent: Number.NaN, decided: Number.NaN, published: Number.NaN };
const STEPS = [
  'stored → acknowledged',
  'stored → sent to Kafka',
  '       → decided',
  '       → change sent to Kafka',
  '       → at the subscriber',
] as const;

const checks = createChecks();
await withBenchSystem({}, async (system) => {
  const ids = await addStocks(system, STOCKS);
  const pushed = new Map<string, number>();
  const [client] = await startStockSubscribers(system, 1, {
    onChange: ({ order }) => void (order && pushed.set(order.id, performance.now())),
  });
  const answered: { id: string; at: number; createdAt: number; pushedAt?: number }[] = [];
  const order = async (number: number): Promise<void> => {
    const input = { productId: ids[number % STOCKS], quantity: 1 };
    const { createOrder } = await dataOf(system.graph(MUTATION, { input }));
    const createdAt = Date.parse(createOrder.createdAt);
    answered.push({ id: createOrder.id, at: performance.now(), createdAt });
  };
  const from = performance.now();
  const orders: Promise<void>[] = [];
  for (let number = 0; number < (WARM_UP_S + SECONDS) * PER_SECOND; number += 1) {
    await pause(Math.max(0, from + (number * 1_000) / PER_SECOND - performance.now()));
    orders.push(order(number));
  }
  await Promise.all(orders);
  const giveUpAt = performance.now() + 30_000;
  while (answered.some(({ id }) => !pushed.has(id)) && performance.now() < giveUpAt) {
    await pause(50);
  }
  const measured = answered.slice(WARM_UP_S * PER_SECOND);
  // If the change arrives before the response has been read, the latency counts as 0.
  const waits = measured.map(({ id, at }) => Math.max(0, (pushed.get(id) ?? Number.NaN) - at));
  const [p50, p99] = [quantile(waits, 0.5), quantile(waits, 0.99)];
  checks.verify(
    'the change of each order arrives',
    measured.every(({ id }) => pushed.has(id)),
    `${waits.length}`,
  );
  const stages = await readStages(system);
  const steps = measured.map(({ id, at, createdAt }) => {
    const { sent, decided, published } = stages.get(id) ?? UNKNOWN;
    const seen = performance.timeOrigin + (pushed.get(id) ?? Number.NaN);
    const answer = performance.timeOrigin + at;
    return {
      'stored → acknowledged': answer - createdAt,
      'stored → sent to Kafka': sent - createdAt,
      '       → decided': decided - sent,
      '       → change sent to Kafka': published - decided,
      '       → at the subscriber': seen - published,
    };
  });
  for (const step of STEPS) {
    const times = steps.map((of) => of[step]);
    const [half, most] = [quantile(times, 0.5), quantile(times, 0.99)];
    checks.print(`       ${step.padEnd(38)} p50 ${half.toFixed(1)} ms, p99 ${most.toFixed(1)} ms`);
  }
  checks.verify('p50 under 20 ms', p50 < 20, `${p50.toFixed(1)} ms`);
  checks.verify('p99 under 100 ms', p99 < 100, `${p99.toFixed(1)} ms`);
  for (const fault of client?.faults.slice(0, 3) ?? []) checks.print(fault);
  client?.cut();
});
