/**
 * Opens and leaves subscriptions to stocks and orders that never change, in all ways of leaving, and
 * compares watchers, timers and memory of the gateway and the subgraphs with those at the start.
 * `npm run bench:live-left -- [subscriptions]` takes 10 minutes with the default of 100,000.
 */
import { argv } from 'node:process';
import { createChecks } from '@gudang/testing/checks';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import {
  type QuietOperation,
  UNANSWERED_PINGS,
  WAYS,
  type Way,
} from '@gudang/testing/clients/ways-to-leave';
import { eventually } from '@gudang/testing/eventually';
import { INSPECTABLE, inspect, mebibytes } from '@gudang/testing/process-inspector';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { System } from '@gudang/testing/system/system';

const COUNT = Number(argv[2] ?? 100_000);
/** Subscriptions that are open at the same time. */
const AT_ONCE = 200;
/** Part of the subscriptions that watch orders. */
const ORDERS_PART = 0.1;
/** Growth of the heap after garbage collection that counts as none. */
const GROWTH_LIMIT = 6 * 1024 * 1024;
const TIMERS = ['Timeout', 'Immediate'];

const STOCK_QUERY = 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind } }';
const ORDER_QUERY = 'subscription ($id: ID!) { orderChanged(id: $id) { id status } }';

async function metric({ url }: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? ([\\d.e+-]+)`, 'm').exec(text)?.[1] ?? 0);
}

const watchers = (part: ServiceProcess): Promise<number> => metric(part, 'gudang_feed_watchers');

async function expectWatchers(part: ServiceProcess, count: number, until: string): Promise<void> {
  await eventually(
    () => watchers(part),
    (found) => found === count,
    { until, within: 60_000 },
  );
}

interface Memory {
  readonly heap: number;
  readonly timers: number;
}

async function memoryOf(part: ServiceProcess): Promise<Memory> {
  const inspected = await inspect(part.output);
  const { heapUsed, external, resources } = await inspected.collected();
  inspected.close();
  const timers = TIMERS.reduce((sum, name) => sum + (resources[name] ?? 0), 0);
  return { heap: heapUsed + external, timers };
}

async function openAndLeave(
  system: System,
  part: ServiceProcess,
  [name, way]: readonly [string, Way],
  operations: readonly QuietOperation[],
): Promise<void> {
  const leave = await way(system.gateway.url, operations);
  if (!name.includes('same turn')) {
    await expectWatchers(part, operations.length, `${name}: all are watched`);
  }
  await leave();
  await expectWatchers(part, 0, `${name}: none is watched`);
}

/** Opens and leaves subscriptions in turns of all ways. */
async function run(
  system: System,
  part: ServiceProcess,
  count: number,
  operation: (index: number) => QuietOperation,
): Promise<void> {
  const ways = Object.entries(WAYS);
  for (let done = 0, turn = 0; done < count; turn += 1) {
    const size = Math.min(AT_ONCE, count - done);
    const operations = Array.from({ length: size }, (_, index) => operation(done + index));
    await openAndLeave(system, part, ways[turn % ways.length] as (typeof ways)[0], operations);
    done += size;
  }
}

const stockOf = (index: number): QuietOperation => ({
  query: STOCK_QUERY,
  variables: { ids: [`quiet-${index}`] },
});

const checks = createChecks();
const environment = { all: INSPECTABLE };
await withBenchSystem({ environment }, async (system) => {
  const { gateway, order, stock } = system;
  const shop = createShopClient(system.graph);
  const product = await shop.addStock({ quantity: 1 });
  const orderRun = async (ids: readonly string[], count: number): Promise<void> =>
    run(system, order, count, (index) => ({
      query: ORDER_QUERY,
      variables: { id: ids[index % ids.length] },
    }));

  // Code that is loaded and caches that are filled once do not count.
  await run(system, stock, 12 * AT_ONCE, stockOf);
  const before = { gateway: await memoryOf(gateway), stock: await memoryOf(stock) };
  const started = performance.now();
  await run(system, stock, Math.round(COUNT * (1 - ORDERS_PART)), stockOf);
  await openAndLeave(
    system,
    stock,
    ['unanswered pings', UNANSWERED_PINGS],
    Array.from({ length: AT_ONCE }, (_, index) => stockOf(index)),
  );
  const afterStocks = { gateway: await memoryOf(gateway), stock: await memoryOf(stock) };

  // The stock service is frozen, so these orders stay PENDING.
  stock.kill('SIGSTOP');
  const ids: string[] = [];
  for (let index = 0; index < AT_ONCE; index += 1) {
    ids.push((await shop.createOrder({ productId: product.id, quantity: 1 })).id);
  }
  await orderRun(ids, 12 * AT_ONCE);
  const orderBefore = await memoryOf(order);
  await orderRun(ids, Math.round(COUNT * ORDERS_PART));
  const orderAfter = await memoryOf(order);
  stock.kill('SIGCONT');
  const seconds = (performance.now() - started) / 1000;
  checks.print(`       ${COUNT.toLocaleString('en')} subscriptions in ${seconds.toFixed(0)} s`);

  const compare = (name: string, from: Memory, to: Memory): void => {
    checks.verify(
      `${name}: heap and buffers as at the start`,
      to.heap - from.heap < GROWTH_LIMIT,
      `${mebibytes(from.heap)} before, ${mebibytes(to.heap)} after`,
    );
    checks.verify(
      `${name}: timers as at the start`,
      to.timers <= from.timers + 5,
      `${from.timers} before, ${to.timers} after`,
    );
  };
  compare('gateway', before.gateway, afterStocks.gateway);
  compare('stock subgraph', before.stock, afterStocks.stock);
  compare('order subgraph', orderBefore, orderAfter);

  // A gateway that is killed leaves all of its subscriptions at once.
  const way = WAYS['a close frame'] as Way;
  await way(
    gateway.url,
    Array.from({ length: AT_ONCE }, (_, index) => stockOf(index)),
  );
  await expectWatchers(stock, AT_ONCE, 'the killed gateway watches');
  await gateway.restart();
  await expectWatchers(stock, 0, 'the killed gateway watches nothing');
  const ended = [await watchers(stock), await watchers(order)];
  checks.verify(
    'no watcher is left',
    ended.every((count) => count === 0),
    ended.join(' and '),
  );
});
