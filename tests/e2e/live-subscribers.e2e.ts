import { dataOf } from '@gudang/testing/clients/graph-client';
import { floodOrders, paceOrders } from '@gudang/testing/clients/order-load';
import type { StockSubscriber } from '@gudang/testing/clients/stock-subscriber';
import { isBehind, startStockSubscribers } from '@gudang/testing/clients/stock-subscribers';
import { eventually } from '@gudang/testing/eventually';
import { addStocks, gatewayMetric, storedVersions } from '@gudang/testing/system/bench-system';
import { useSystem } from '@gudang/testing/system/use-system';
import { expect, test } from 'vitest';

const CLIENTS = 20;
const STOCKS = 10;
const ORDERS_PER_SECOND = 50;
const HEALS_WITHIN_MS = 30_000;

const system = useSystem();

/** Adds stocks, and starts subscribers that receive each stock from its first version on. */
async function start() {
  const { stockCursor: after } = await dataOf(system().graph('{ stockCursor }'));
  const ids = await addStocks(system(), STOCKS);
  return { ids, clients: await startStockSubscribers(system(), CLIENTS, { after, ids }) };
}

async function expectAllSeen(clients: readonly StockSubscriber[]): Promise<void> {
  await expect
    .poll(
      async () => {
        const stored = await storedVersions(system());
        return clients.filter((one) => isBehind(one, stored)).length;
      },
      { message: "all subscribers have each stock's last state", timeout: HEALS_WITHIN_MS },
    )
    .toBe(0);
  expect(clients.flatMap((one) => one.faults)).toEqual([]);
  // No client received a snapshot, and each missing version was counted as conflated.
  expect(clients.map((one) => one.snapshots())).toEqual(clients.map(() => 0));
  expect(clients.map((one) => one.missing())).toEqual(clients.map((one) => one.conflated()));
}

async function expectOneUpstream(): Promise<void> {
  await expect
    .poll(() => gatewayMetric(system(), 'gateway_live_upstreams'), {
      message: 'all catch-ups have ended',
      timeout: HEALS_WITHIN_MS,
    })
    .toBe(1);
}

test('subscribers receive all changes without errors across SIGKILL of the stock subgraph', async () => {
  const { ids, clients } = await start();
  const over = new AbortController();
  const orders = paceOrders(system(), {
    ids,
    ordersPerSecond: ORDERS_PER_SECOND,
    until: over.signal,
  });
  const seen = () => Math.min(...clients.map((one) => one.received()));
  await eventually(seen, (count) => count > 4 * STOCKS, { until: 'orders flow' });
  system().stock.kill();
  await system().stock.exited;
  await system().stock.restart();
  const before = seen();
  await eventually(seen, (count) => count > before + STOCKS, {
    until: 'new orders are decided',
    within: HEALS_WITHIN_MS,
  });
  over.abort();
  expect((await orders).refused).toBe(0);
  await expectAllSeen(clients);
  await expectOneUpstream();
  for (const one of clients) one.cut();
});

test('disconnected subscribers resume from different cursors, both with and without concurrent changes', async () => {
  const { ids, clients } = await start();
  const changing = floodOrders(system(), { ids, count: 300, ordersPerSecond: 100 });
  for (const [index, one] of clients.entries()) {
    const had = one.received();
    await eventually(one.received, (count) => count > had + (index % 5), {
      until: 'the subscriber receives more events',
    });
    one.cut();
  }
  await Promise.all(clients.map((one) => one.connect()));
  await changing;
  await expectAllSeen(clients);
  await expectOneUpstream();

  for (const one of clients) one.cut();
  await Promise.all(clients.map((one) => one.connect()));
  await expectOneUpstream();
  await expectAllSeen(clients);
  for (const one of clients) one.cut();
});
