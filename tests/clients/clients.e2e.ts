import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { startOrderLoop } from '@gudang/testing/clients/order-loop';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApolloClient, STOCKS, watchWithApollo } from './examples/apollo-client.ts';
import { watchWithEventSource } from './examples/event-source-client.ts';
import { watchOverSse } from './examples/graphql-sse-client.ts';
import { watchOverWebsocket } from './examples/graphql-ws-client.ts';
import { createUrqlClient, watchWithUrql } from './examples/urql-client.ts';
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

interface StockPage {
  readonly stockCursor: string;
  readonly stocks: {
    readonly edges: readonly {
      readonly node: { readonly id: string; readonly quantity: number };
    }[];
    readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
  };
}

test('every client receives all changes in order across SIGKILL of the gateway', async () => {
  const { graph, gateway } = system();
  const shop = createShopClient(graph);
  const url = graphUrl();
  const after = await shop.stockCursor();
  const apollo = createApolloClient(url);
  const clients = {
    'graphql-ws': (show) => watchOverWebsocket(url, after, show),
    'graphql-sse': (show) => watchOverSse(url, after, show),
    EventSource: (show) => watchWithEventSource(url, after, show),
    'Apollo Client': (show) => watchWithApollo(apollo, after, show),
    urql: (show) => watchWithUrql(createUrqlClient(url), after, show),
  } satisfies Record<string, (show: Parameters<typeof watchOverSse>[2]) => () => void>;
  const seen = Object.entries(clients).map(([name, watch]) => {
    const changes = createReceivedChanges(name);
    leave.push(watch(changes.show));
    return changes;
  });
  const { id } = await shop.addStock({ quantity: 100_000 });
  await Promise.all(seen.map((client) => client.completeUntil(id, 1)));

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
  await Promise.all(seen.map((client) => client.completeUntil(id, version)));
});

test('Apollo Client merges the pages of a list and applies each change to all lists', async () => {
  const shop = createShopClient(system().graph);
  for (const quantity of [1, 2, 3]) await shop.addStock({ quantity });
  const client = createApolloClient(graphUrl());
  const list = client.watchQuery<StockPage>({ query: STOCKS, variables: { first: 2 } });
  const shown: StockPage[] = [];
  const watching = list.subscribe(({ data }) => {
    if (data) shown.push(data as StockPage);
  });
  leave.push(() => watching.unsubscribe());
  const last = () => shown.at(-1) as StockPage;
  const quantities = () => last().stocks.edges.map(({ node }) => node.quantity);

  await eventually(
    () => shown.length,
    (count) => count > 0,
  );
  expect(quantities()).toEqual([3, 2]);
  const { stockCursor, stocks } = last();
  await list.fetchMore({ variables: { after: stocks.pageInfo.endCursor } });
  await eventually(quantities, (now) => now.slice(0, 3).join() === '3,2,1', {
    until: 'both pages are merged',
  });

  leave.push(watchWithApollo(client, stockCursor, () => {}));
  const productId = last().stocks.edges[2]?.node.id as string;
  await shop.createOrder({ productId, quantity: 1 });
  await eventually(quantities, ([, , third]) => third === 0, { until: 'the list shows the order' });
});

test('urql answers a repeated query from its cache', async () => {
  const shop = createShopClient(system().graph);
  const { id } = await shop.addStock({ quantity: 7 });
  const client = createUrqlClient(graphUrl());
  const query = '{ stocks(first: 1) { nodes { id quantity } } }';
  const first = await client.query(query, {}).toPromise();
  expect(first.data?.stocks.nodes).toEqual([expect.objectContaining({ id, quantity: 7 })]);
  const second = await client.query(query, {}).toPromise();
  expect(second.operation.context.meta?.cacheOutcome).toBe('hit');
});

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
