import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { startOrderLoop } from '@gudang/testing/clients/order-loop';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchWithEventSource } from './examples/event-source-client.ts';
import { createReceivedChanges } from './received-changes.ts';

const run = promisify(execFile);
const system = useSystem();
const graphUrl = () => `${system().gateway.url}/graphql`;
const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let leave: (() => void)[] = [];
beforeEach(() => {
  leave = [];
});
afterEach(() => {
  for (const stop of leave) stop();
});

test('EventSource receives all changes in order across SIGKILL of the gateway', async () => {
  const { graph, gateway } = system();
  const shop = createShopClient(graph);
  const received = createReceivedChanges('EventSource');
  leave.push(watchWithEventSource(graphUrl(), await shop.stockCursor(), received.show));
  const { id } = await shop.addStock({ quantity: 100_000 });
  await received.completeUntil(id, 1);

  // Orders are sent directly to the order subgraph, so they continue while the gateway is down.
  const loop = startOrderLoop({ graph: graphAt(`${system().order.url}/graphql`), productId: id });
  const taken = (count: number) =>
    eventually(
      () => loop.acknowledged.length,
      (length) => length >= count,
      { until: `${count} orders are acknowledged` },
    );
  await taken(20);
  gateway.kill('SIGKILL');
  await gateway.exited;
  await taken(60);
  await gateway.restart();
  await taken(100);
  await loop.stop();

  const version = 1 + loop.acknowledged.length;
  await expect.poll(async () => (await shop.stock(id))?.version).toBe(version);
  await received.completeUntil(id, version);
});

test.each(['subscribe.js', 'live-list.js'])(
  'the example %s of the client package receives a change',
  async (name) => {
    const shop = createShopClient(system().graph);
    const text = await readFile(fileOf(`../../packages/client/examples/${name}`), 'utf8');
    const code = text.replace('http://localhost:4000/graphql', graphUrl());
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: fileOf('.'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    leave.push(() => child.kill());
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
    });
    // The first changes may happen before the example has subscribed.
    const added: string[] = [];
    await eventually(
      async () => {
        added.push((await shop.addStock({ quantity: 3 })).id);
        return output;
      },
      (text) => added.some((id) => new RegExp(`id: '${id}',\\s+quantity: 3`).test(text)),
      { until: 'the example prints a new stock', every: 200 },
    );
  },
);

test('the curl example runs a query, an order and a stream', async () => {
  const shop = createShopClient(system().graph);
  await shop.addStock({ id: 'kopi-gayo', quantity: 100 });
  const environment = { ...process.env, GRAPH_URL: graphUrl() };
  const running = run(fileOf('examples/curl.sh'), { env: environment });
  const productId = 'kopi-gayo';
  const order = async () => (await shop.createOrder({ productId, quantity: 1 })).status;
  const loop = setInterval(() => void order(), 200);
  const { stdout } = await running.finally(() => clearInterval(loop));
  const [listed = '', ordered = '', ...events] = stdout.split('\n');
  expect(JSON.parse(listed).data.stocks.nodes[0]).toMatchObject({ id: productId });
  expect(JSON.parse(ordered).data.createOrder).toMatchObject({ status: 'PENDING' });
  const data = events.filter((line) => line.startsWith('data: {'));
  expect(JSON.parse(data[0]?.slice(6) ?? '{}').data.stockChanged).toMatchObject({
    kind: 'ORDERED',
    stock: { id: productId },
  });
});

test('newman runs the whole Postman collection', async () => {
  const { gateway, order, stock } = system();
  const newman = fileOf('../../node_modules/newman/bin/newman.js');
  const variables = { gateway: gateway.url, orders: order.url, stocks: stock.url };
  const named = Object.entries(variables).flatMap(([name, url]) => ['--env-var', `${name}=${url}`]);
  const collection = fileOf('gudang.postman_collection.json');
  // If a request fails, newman exits with code 1, and its report names the request.
  const report = run(process.execPath, [
    newman,
    'run',
    collection,
    ...named,
    '--delay-request',
    '20',
  ]);
  const { stdout } = await report.catch((failed: { stdout: string }) => {
    throw new Error(failed.stdout);
  });
  expect(stdout).toMatch(/│\s+assertions │\s+\d{2} │\s+0 │/);
});
