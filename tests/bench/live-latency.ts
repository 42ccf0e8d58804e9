/**
 * From createOrder's answer to the pushed change at a client of the gateway, whole system, at 50
 * orders a second: `npm run bench:live-latency -- [seconds]`, 30 unless told otherwise.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { dataOf } from '../system/graph-client.ts';
import { startCrowd } from './live/crowd.ts';
import { addStocks, withLiveSystem } from './live/live-system.ts';
import { createVerdict, quantile } from './live/verdict.ts';

const SECONDS = Number(argv[2] ?? 30);
const A_SECOND = 50;
const STOCKS = 10;
const WARM_UP_S = 10;
const MUTATION =
  'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id createdAt } }';

const verdict = createVerdict();
await withLiveSystem({}, async (system) => {
  const ids = await addStocks(system, STOCKS);
  const pushed = new Map<string, number>();
  const made = new Map<string, number>();
  const [client] = await startCrowd(system, 1, {
    onChange: ({ order, at }) => {
      if (!order) return;
      pushed.set(order.id, performance.now());
      made.set(order.id, Date.parse(at));
    },
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
  for (let number = 0; number < (WARM_UP_S + SECONDS) * A_SECOND; number += 1) {
    await pause(Math.max(0, from + (number * 1_000) / A_SECOND - performance.now()));
    orders.push(order(number));
  }
  await Promise.all(orders);
  const giveUpAt = performance.now() + 30_000;
  while (answered.some(({ id }) => !pushed.has(id)) && performance.now() < giveUpAt) {
    await pause(50);
  }
  const measured = answered.slice(WARM_UP_S * A_SECOND);
  // A change may be pushed before the answer has been read: that is no wait at all.
  const waits = measured.map(({ id, at }) => Math.max(0, (pushed.get(id) ?? Number.NaN) - at));
  const decisions = measured.map(({ id, createdAt }) => (made.get(id) ?? Number.NaN) - createdAt);
  const [p50, p99] = [quantile(waits, 0.5), quantile(waits, 0.99)];
  verdict.check(
    'every order is pushed',
    measured.every(({ id }) => pushed.has(id)),
    `${waits.length}`,
  );
  verdict.say(
    `       by the services' clocks, taken to decided: p50 ${quantile(decisions, 0.5)} ms, p99 ${quantile(decisions, 0.99)} ms`,
  );
  verdict.check('p50 under 20 ms', p50 < 20, `${p50.toFixed(1)} ms`);
  verdict.check('p99 under 100 ms', p99 < 100, `${p99.toFixed(1)} ms`);
  for (const fault of client?.faults.slice(0, 3) ?? []) verdict.say(fault);
  client?.cut();
});
