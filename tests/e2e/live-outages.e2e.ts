import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import type { LiveClient } from '@gudang/testing/clients/live-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { rawChunks } from '@gudang/testing/proxy/frames';
import { startTcpProxy, type TcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import {
  type RestartableServer,
  startRestartableServer,
} from '@gudang/testing/system/restartable-server';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { livePage } from '../browser/live-page.ts';
import { useBrowser } from '../browser/use-browser.ts';

/**
 * Maximum time until subscribers receive changes again. It includes the 15 s after which an unanswered
 * ping makes the gateway reconnect.
 */
const HEALS_WITHIN_MS = 40_000;

interface Change {
  readonly stockChanged: {
    readonly stock: { readonly quantity: number; readonly version: number };
  };
}

const visit = useBrowser();
let directory: string;
let watchdog: ReturnType<typeof startWatchdog>;
let kafka: RestartableServer;
let system: System;
let proxy: TcpProxy;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-live-'));
  watchdog = startWatchdog(directory);
  const port = await freePort();
  kafka = await startRestartableServer(() =>
    startKafka({ directory: join(directory, 'kafka'), port }),
  );
  system = await startSystem({
    postgresUrl: inject('postgresUrl'),
    kafkaBrokers: `127.0.0.1:${port}`,
    through: async ({ from, to }, address) => {
      if (from !== 'gateway' || to !== 'stock') return address;
      const url = new URL(address);
      proxy = await startTcpProxy({ port: Number(url.port), split: rawChunks });
      url.port = String(proxy.port);
      return url.href;
    },
  });
});
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  process.stderr.write(`\nOutput of the processes during "${task.name}":\n${system.logs()}\n`);
});
afterAll(async () => {
  await system?.stop();
  await proxy?.stop();
  await kafka?.stop();
  await watchdog?.stop();
  await rm(directory, { recursive: true, force: true });
});

/**
 * Adds a stock and subscribes to it. `end` asserts that the subscriber received no error and did not
 * reconnect.
 */
async function startWatch() {
  const shop = createShopClient(system.graph);
  const stock = await shop.addStock({ quantity: 1_000 });
  const live: LiveClient<Change> = await system.live<Change>({
    query: `subscription ($ids: [ID!], $after: String) {
      stockChanged(ids: $ids, after: $after) { stock { quantity version } } }`,
    variables: { ids: [stock.id], after: await shop.stockCursor() },
  });
  const order = () => shop.createOrder({ productId: stock.id, quantity: 1 });
  const sees = (quantity: number): Promise<unknown> =>
    live.waitFor((data) => data.stockChanged.stock.quantity === quantity, {
      until: `the subscriber receives quantity ${quantity}`,
      within: HEALS_WITHIN_MS,
    });
  const end = async (): Promise<void> => {
    const versions = live.seen().map(({ stockChanged }) => stockChanged.stock.version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(live.errors()).toEqual([]);
    expect(live.connections()).toBe(1);
    await live.close();
  };
  return { stock, shop, order, sees, end, versions: () => new Set(live.seen()).size };
}

test('subscribers receive all changes after a silent network failure between the gateway and the stock subgraph', async () => {
  const watch = await startWatch();
  await watch.order();
  await watch.sees(999);
  proxy.stall();
  for (let count = 0; count < 5; count += 1) await watch.order();
  await eventually(
    () => system.gateway.output(),
    (lines) => lines.includes('the live connection to a subgraph is lost'),
    { until: 'the gateway detects the failure', within: HEALS_WITHIN_MS, every: 200 },
  );
  await proxy.restore();
  await watch.sees(994);
  await watch.order();
  await watch.sees(993);
  await watch.end();
}, 120_000);

test('subscribers receive no error while Kafka is unavailable, and receive the changes when it returns', async () => {
  const watch = await startWatch();
  await watch.order();
  await watch.sees(999);
  await kafka.stop();
  const taken = await Promise.all([1, 2, 3].map(() => watch.order()));
  expect(taken.map(({ status }) => status)).toEqual(['PENDING', 'PENDING', 'PENDING']);
  await watch.shop.adjustStock(watch.stock.id, -99);
  expect(await watch.shop.stock(watch.stock.id)).toMatchObject({ quantity: 900 });
  await kafka.start();
  await watch.sees(897);
  await watch.end();
}, 120_000);

test('subscriptions that start while Kafka is unavailable receive changes when it returns', async () => {
  const shop = createShopClient(system.graph);
  const stock = await shop.addStock({ quantity: 10 });
  await kafka.stop();
  const live = await system.live<Change>({
    query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { stock { quantity version } } }',
    variables: { ids: [stock.id] },
  });
  await shop.adjustStock(stock.id, 5);
  await kafka.start();
  await live.waitFor((data) => data.stockChanged.stock.quantity === 15, {
    until: 'the subscriber receives quantity 15',
    within: HEALS_WITHIN_MS,
  });
  expect(live.errors()).toEqual([]);
  await live.close();
}, 120_000);

test('the page /live says that Kafka is unavailable and that orders are stored, until Kafka returns', async () => {
  const { id } = await createShopClient(system.graph).addStock({ quantity: 10 });
  await visit({ origin: system.gateway.url, path: '/live' }, async (page) => {
    const live = livePage(page);
    await live.shows(id, 10);
    await live.isConnected('Live');
    await kafka.stop();
    await live.order(id, 4);
    await live.notices(/Kafka is unavailable.*orders are stored/);
    await live.isConnected('Partly live');
    await live.said(/^Accepted and stored: 4 ×/);
    await kafka.start();
    await live.said(/^Confirmed: 4 ×/);
    await live.shows(id, 6);
    await live.noticesNothing();
    await live.isConnected('Live');
  });
}, 120_000);
