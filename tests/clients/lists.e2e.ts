import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { createClient, type LiveClient, type LiveList, liveList } from '@gudang/client';
import { createLiveLink } from '@gudang/client/apollo';
import { liveExchange } from '@gudang/client/urql';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { startOrderLoop } from '@gudang/testing/clients/order-loop';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { Client } from '@urql/core';
import { afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';

interface Stock {
  readonly id: string;
  readonly quantity: number;
  readonly version: number;
  readonly createdAt: string;
}
interface Order {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly createdAt: string;
}

const STOCK = 'id quantity version createdAt';
const STOCKS = `query ($after: String, $most: Int) {
  stockCursor
  stocks(first: 4, after: $after, quantityAtMost: $most) { nodes { ${STOCK} } pageInfo { endCursor hasNextPage } }
}`;
const STOCK_CHANGED = `subscription ($most: Int) {
  stockChanged(quantityAtMost: $most) { kind stock { ${STOCK} } }
}`;
const ORDER = 'id status version createdAt';
const ORDERS = `query ($after: String) {
  orderCursor
  orders(first: 20, after: $after, status: CONFIRMED) { nodes { ${ORDER} } pageInfo { endCursor hasNextPage } }
}`;
const ORDERS_CHANGED = `subscription { ordersChanged(status: CONFIRMED) { order { ${ORDER} } } }`;
/** Quantity up to which a stock is low. */
const LOW = 20;

const system = useSystem();
const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function connect(transport: 'websocket' | 'sse'): LiveClient {
  const client = createClient({
    url: `${system().gateway.url}/graphql`,
    transport,
    webSocketImpl: WebSocket,
    maxRetryDelay: 500,
  });
  open.push(client);
  return client;
}

function listOfStocks(client: LiveClient, most?: number): LiveList<Stock> {
  return liveList(client, {
    query: STOCKS,
    variables: { most },
    page: ({ stockCursor, stocks }: StockPage) => ({
      items: stocks.nodes,
      cursor: stockCursor,
      ...stocks.pageInfo,
    }),
    subscription: STOCK_CHANGED,
    subscriptionVariables: { most },
    event: ({ stockChanged: { kind, stock } }: StockEvent) => ({
      item: stock,
      deleted: kind === 'DELETED',
    }),
    id: ({ id }) => id,
    version: ({ version }) => version,
    matches: ({ quantity }) => most === undefined || quantity <= most,
    compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
  });
}

function listOfOrders(client: LiveClient): LiveList<Order> {
  return liveList(client, {
    query: ORDERS,
    page: ({ orderCursor, orders }: OrderPage) => ({
      items: orders.nodes,
      cursor: orderCursor,
      ...orders.pageInfo,
    }),
    subscription: ORDERS_CHANGED,
    event: ({ ordersChanged: { order } }: OrderEvent) => ({ item: order }),
    id: ({ id }) => id,
    version: ({ version }) => version,
    matches: ({ status }) => status === 'CONFIRMED',
    compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
  });
}

interface PageInfo {
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
}
interface StockPage {
  readonly stockCursor: string;
  readonly stocks: { readonly nodes: readonly Stock[]; readonly pageInfo: PageInfo };
}
interface StockEvent {
  readonly stockChanged: { readonly kind: string; readonly stock: Stock };
}
interface OrderPage {
  readonly orderCursor: string;
  readonly orders: { readonly nodes: readonly Order[]; readonly pageInfo: PageInfo };
}
interface OrderEvent {
  readonly ordersChanged: { readonly order: Order };
}

type Row = Pick<Stock, 'id' | 'version'>;

const statesOf = (rows: readonly Row[]): string[] =>
  rows.map(({ id, version }) => `${id} ${version}`).sort();

const becomesLive = (list: LiveList<Row>) =>
  eventually(list.get, ({ loading, state }) => !loading && state === 'live', {
    until: 'the list is live',
  });

/** Loads all pages, and waits until the list shows exactly the rows of a query. */
async function becomesEqual(
  list: LiveList<Row>,
  rows: () => Promise<readonly Row[]>,
): Promise<void> {
  while (list.get().hasMore) await list.loadMore();
  const expected = statesOf(await rows());
  const until = `the list shows ${expected.length} rows`;
  await eventually(
    () => statesOf(list.get().items),
    (shown) => `${shown}` === `${expected}`,
    { until },
  );
  expect(list.get()).toMatchObject({ error: null, hasMore: false });
}

/** Watches one stock with Apollo Client and urql. @returns the versions that each has received */
function watchWithOthers(
  id: string,
  apolloClient: LiveClient,
  urqlClient: LiveClient,
): Record<string, number[]> {
  const seen = { apollo: [] as number[], urql: [] as number[] };
  const document = `subscription ($ids: [ID!]) { stockChanged(ids: $ids) { kind stock { ${STOCK} } } }`;
  const variables = { ids: [id] };
  const apollo = new ApolloClient({
    link: createLiveLink(apolloClient),
    cache: new InMemoryCache(),
  });
  const watching = apollo
    .subscribe<StockEvent>({ query: gql(document), variables })
    .subscribe(({ data }) => data && seen.apollo.push(data.stockChanged.stock.version));
  const urql = new Client({ url: system().gateway.url, exchanges: [liveExchange(urqlClient)] });
  const { unsubscribe } = urql
    .subscription<StockEvent>(document, variables)
    .subscribe(({ data }) => data && seen.urql.push(data.stockChanged.stock.version));
  open.push({ close: () => watching.unsubscribe() }, { close: unsubscribe });
  return seen;
}

test('lists, Apollo Client and urql show every change across SIGKILL of the gateway', async () => {
  const { graph, gateway, order, stock } = system();
  const shop = createShopClient(graph);
  const added: string[] = [];
  for (let quantity = 17; quantity < 27; quantity += 1) {
    added.push((await shop.addStock({ quantity })).id);
  }
  const [websocket, sse] = [connect('websocket'), connect('sse')];
  const seen = watchWithOthers('busy', sse, websocket);
  const stocks = [listOfStocks(websocket), listOfStocks(sse)];
  const low = [listOfStocks(websocket, LOW), listOfStocks(sse, LOW)];
  const orders = [listOfOrders(websocket), listOfOrders(sse)];
  const lists = [...stocks, ...low, ...orders];
  open.push(...lists);
  await Promise.all(lists.map(becomesLive));
  await expect.poll(() => [websocket.state, sse.state]).toEqual(['live', 'live']);
  expect(stocks[0]?.get().hasMore).toBe(true);
  expect(stocks[0]?.get().items).toHaveLength(4);

  // The subgraphs change while the gateway is down.
  await shop.addStock({ id: 'busy', quantity: 100_000 });
  const loop = startOrderLoop({
    graph: graphAt(`${order.url}/graphql`),
    productId: 'busy',
    everyMs: 60,
  });
  const warehouse = createShopClient(graphAt(`${stock.url}/graphql`));
  const change = async (): Promise<void> => {
    for (const [index, id] of added.entries()) await warehouse.adjustStock(id, index % 2 ? 4 : -4);
    const [first = '', second = ''] = added;
    await warehouse.deleteStock(first);
    await warehouse.deleteStock(second);
    await warehouse.addStock({ id: second, quantity: 5 });
    added.shift();
    added.push((await warehouse.addStock({ quantity: 3 })).id);
  };
  await change();
  gateway.kill('SIGKILL');
  await gateway.exited;
  await change();
  const loading = Promise.all(lists.map((list) => list.loadMore()));
  await gateway.restart();
  await change();
  await loading;
  await eventually(
    () => loop.acknowledged.length,
    (length) => length >= 30,
  );
  await loop.stop();

  const version = 1 + loop.acknowledged.length;
  await expect.poll(async () => (await shop.stock('busy'))?.version).toBe(version);
  const all = Array.from({ length: version }, (_, index) => index + 1);
  await expect.poll(() => seen).toEqual({ apollo: all, urql: all });
  const read = connect('websocket');
  const readStocks = async () => {
    const query = `{ stocks(first: 100) { nodes { ${STOCK} } } }`;
    return (await read.query<StockPage>(query)).stocks.nodes;
  };
  const readLow = async () => (await readStocks()).filter(({ quantity }) => quantity <= LOW);
  // On a loaded machine, there may be more orders than one page has.
  const readOrders = async (): Promise<Order[]> => {
    const query = `query ($after: String) { orders(first: 100, after: $after, status: CONFIRMED) {
      nodes { ${ORDER} } pageInfo { endCursor hasNextPage } } }`;
    const all: Order[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const { orders }: OrderPage = await read.query(query, { after: after || null });
      all.push(...orders.nodes);
      after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
    }
    return all;
  };
  for (const list of stocks) await becomesEqual(list, readStocks);
  for (const list of low) await becomesEqual(list, readLow);
  await expect.poll(async () => (await readOrders()).length).toBe(loop.acknowledged.length);
  for (const list of orders) await becomesEqual(list, readOrders);
});
