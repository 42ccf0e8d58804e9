/**
 * Clients lose their connections and resume from different cursors. The benchmark tests these
 * cases: changes continue, changes have stopped, a stock never changes, cursors have expired and a
 * stock was deleted, and clients disconnect again during a snapshot.
 * `npm run bench:live-resume -- [clients]` takes 2 minutes.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { floodOrders } from '@gudang/testing/clients/order-load';
import type { StockSubscriber } from '@gudang/testing/clients/stock-subscriber';
import {
  checkStockSubscribers,
  connectAll,
  isBehind,
  startStockSubscribers,
} from '@gudang/testing/clients/stock-subscribers';
import { eventually } from '@gudang/testing/eventually';
import {
  addStocks,
  gatewayMetric,
  storedVersions,
  withBenchSystem,
} from '@gudang/testing/system/bench-system';
import type { System } from '@gudang/testing/system/system';

const CLIENTS = Number(argv[2] ?? 500);
const STOCKS = 100;
const PER_SECOND = 100;
const CUTS_MS = 20_000;
/**
 * Share of the clients that are disconnected per round, and the maximum time until they reconnect,
 * in milliseconds.
 */
const SHARE = 0.2;
const AWAY_MS = 1_500;
const BACK_WITHIN_MS = 5_000;
/**
 * Number of changes. It exceeds the capacity of a replica's change log, which drops its oldest
 * third when it reaches 15,000 changes.
 */
const TOO_MANY = 16_000;

const checks = createChecks();
const UPSTREAMS = 'gateway_live_upstreams';

/** Verifies that the upstreams of catch-ups close soon after all clients have caught up. */
async function checkUpstreams(
  system: System,
  clients: readonly StockSubscriber[],
  { when, streams = 1 }: { when: string; streams?: number },
): Promise<void> {
  const from = performance.now();
  let caughtUp = from;
  while (performance.now() - from < 60_000) {
    if ((await gatewayMetric(system, UPSTREAMS)) <= streams) break;
    const stored = await storedVersions(system);
    if (clients.some((one) => isBehind(one, stored))) caughtUp = performance.now();
    await pause(50);
  }
  const now = await gatewayMetric(system, UPSTREAMS);
  const took = performance.now() - caughtUp;
  checks.verify(
    `upstreams of catch-ups close within 5 s, ${when}`,
    now === streams && took < BACK_WITHIN_MS,
    `${now} for ${streams} streams after ${(took / 1_000).toFixed(1)} s, ${((performance.now() - from) / 1_000).toFixed(1)} s after all clients connected`,
  );
}

async function cutRepeatedly(clients: readonly StockSubscriber[]): Promise<number> {
  const until = performance.now() + CUTS_MS;
  let cuts = 0;
  while (performance.now() < until) {
    const some = clients.filter(() => Math.random() < SHARE);
    for (const one of some) one.cut();
    await pause(Math.random() * AWAY_MS);
    await connectAll(some);
    cuts += some.length;
  }
  return cuts;
}

async function cutAll(clients: readonly StockSubscriber[]): Promise<void> {
  for (const one of clients) one.cut();
  await connectAll(clients);
}

await withBenchSystem({}, async (system) => {
  const { stockCursor: after } = await dataOf(system.graph('{ stockCursor }'));
  const [deleted = '', untouched = '', ...ids] = await addStocks(system, STOCKS + 2);
  const clients = await startStockSubscribers(system, CLIENTS, { after });
  const few = await startStockSubscribers(system, 20, { after, ids: [untouched] });
  const [whole] = await startStockSubscribers(system, 1, { after });
  let cutAt: number | undefined;
  const [twice] = await startStockSubscribers(system, 1, {
    after,
    onChange: ({ kind }) => {
      if (kind !== 'SNAPSHOT' || cutAt !== undefined) return;
      cutAt = twice?.snapshots();
      twice?.cut();
    },
  });
  const old = [whole, twice].filter((one) => one !== undefined);

  checks.print(`${CLIENTS} clients of ${STOCKS} stocks, ${PER_SECOND} changes per second`);
  await floodOrders(system, { ids: [deleted, ...ids], count: STOCKS, ordersPerSecond: 1_000 });
  for (const one of old) one.cut();
  const changes = (CUTS_MS / 1_000) * PER_SECOND;
  const changing = floodOrders(system, { ids, count: changes + 500, ordersPerSecond: PER_SECOND });
  const cuts = await cutRepeatedly(clients);
  await cutAll(clients);
  await checkUpstreams(system, clients, { when: `${cuts} disconnects during changes`, streams: 2 });
  await changing;
  await checkStockSubscribers(checks, system, clients);

  await cutAll(clients);
  await checkUpstreams(system, clients, { when: 'without changes', streams: 2 });
  const touching = floodOrders(system, { ids, count: 500, ordersPerSecond: PER_SECOND });
  await cutAll(few);
  await checkUpstreams(system, few, { when: 'for an unchanged stock', streams: 2 });
  await touching;

  await floodOrders(system, { ids, count: TOO_MANY, ordersPerSecond: 3_000 });
  const mutation = 'mutation ($id: ID!) { deleteStock(id: $id) { id } }';
  await dataOf(system.graph(mutation, { id: deleted }));
  checks.print('from expired cursors, after a stock was deleted');
  await connectAll(old);
  await eventually(
    () => cutAt,
    (at) => at !== undefined,
    { until: 'a snapshot has started' },
  );
  if (twice) await connectAll([twice]);
  await checkStockSubscribers(checks, system, old);
  checks.verify(
    'one client was disconnected again during its snapshot',
    (cutAt ?? STOCKS) < STOCKS,
    `after ${cutAt} of ${STOCKS} rows`,
  );
  for (const one of [...clients, ...few, ...old]) one.cut();
});
