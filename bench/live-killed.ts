/**
 * Kills the stock subgraph with SIGKILL and restarts it after 10 s. Meanwhile, clients send 200
 * orders per second for 100 stocks, and 500 clients subscribe to all of these stocks. In the first
 * run, the missed changes are within the replay window. In the second run they exceed it: during
 * the outage, another replica makes more changes than a change log keeps.
 * `npm run bench:live-killed -- [clients]` takes 3 minutes.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks } from '@gudang/testing/checks';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { floodOrders, type PacedOrders } from '@gudang/testing/clients/order-load';
import {
  checkStockSubscribers,
  startStockSubscribers,
} from '@gudang/testing/clients/stock-subscribers';
import { addStocks, gatewayMetric, withBenchSystem } from '@gudang/testing/system/bench-system';
import { startChild } from './live/child.ts';

const CLIENTS = Number(argv[2] ?? 500);
const STOCKS = 100;
const PER_SECOND = 200;
const BEFORE_MS = 8_000;
const AWAY_MS = 10_000;
const AFTER_MS = 8_000;
/** Number of changes. It exceeds the capacity of a replica's change log. */
const BEYOND = 12_000;

const checks = createChecks();
for (const beyond of [false, true]) {
  checks.print(`\nrestart ${beyond ? 'beyond' : 'within'} the replay window`);
  await withBenchSystem({ stocks: beyond ? 2 : 1 }, async (system) => {
    const { stockCursor: after } = await dataOf(system.graph('{ stockCursor }'));
    const ids = await addStocks(system, STOCKS);
    const clients = await startStockSubscribers(system, CLIENTS, { after });
    const from = performance.now();
    const graph = `${system.gateway.url}/graphql`;
    const orders = await startChild('orders.ts', graph, String(PER_SECOND), ...ids);
    await pause(BEFORE_MS);
    system.stock.kill();
    const back = pause(AWAY_MS);
    if (beyond) await floodOrders(system, { ids, count: BEYOND, ordersPerSecond: 4_000 });
    await back;
    await system.stock.restart();
    await pause(AFTER_MS);
    const seconds = (performance.now() - from) / 1_000;
    const { acknowledged, refused } = await orders.ask<PacedOrders>({});
    await orders.stop();
    const rate = `${(acknowledged / seconds).toFixed(0)} per second`;
    checks.verify('no order fails', refused === 0, `${acknowledged}, ${rate}`);
    checks.verify('the order rate is reached', acknowledged >= 0.95 * PER_SECOND * seconds, rate);
    await checkStockSubscribers(checks, system, clients);
    const shown = clients.filter((one) => one.snapshots() > 0).length;
    checks.verify(
      beyond ? 'all subscribers receive a snapshot' : 'no subscriber receives a snapshot',
      shown === (beyond ? CLIENTS : 0),
      `${shown} subscribers received one`,
    );
    const upstreams = await gatewayMetric(system, 'gateway_live_upstreams');
    checks.verify('one upstream', upstreams === 1, `${upstreams}`);
    for (const one of clients) one.cut();
  });
}
