import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signToken } from '@gudang/auth/testing';
import { createClient, liveList } from '@gudang/client';
import { authorizationOf, type CallerName, SECURED } from '@gudang/testing/clients/callers';
import { dataOf, type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import { type LiveClient, startLiveClient } from '@gudang/testing/clients/live-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

const MARK = / @cacheControl\(scope: PRIVATE\)/g;

const system = useSystem({ environment: { all: SECURED } });
const urls: Record<'marked' | 'unmarked', string> = { marked: '', unmarked: '' };
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gudang-marks-'));
  const supergraph = new URL('../../gateway/supergraph.graphql', import.meta.url);
  const sdl = await readFile(supergraph, 'utf8');
  expect(sdl.match(MARK)?.length).toBeGreaterThanOrEqual(8);
  const SUPERGRAPH = join(folder, 'unmarked.graphql');
  await writeFile(SUPERGRAPH, sdl.replaceAll(MARK, ''));
  const unmarked = await system().add('gateway', { SUPERGRAPH });
  urls.marked = `${system().gateway.url}/graphql`;
  urls.unmarked = `${unmarked.url}/graphql`;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const lives: LiveClient[] = [];
afterEach(async () => {
  for (const live of lives.splice(0)) await live.close();
});

const SITI: CallerName = 'Siti with scopes';
const BUDI: CallerName = 'Budi with scopes';
const RITA: CallerName = 'Rita with order:read:all';

type Marks = keyof typeof urls;
const as = async (caller: CallerName, marks: Marks = 'marked'): Promise<Graph> =>
  graphAt(urls[marks], await authorizationOf(caller));
const watch = async (caller: CallerName, query: string, variables: object, marks: Marks) => {
  const live = await startLiveClient({
    url: urls[marks],
    query,
    variables: { ...variables },
    authorization: await authorizationOf(caller),
  });
  lives.push(live);
  return live;
};

const CREATE = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id status } }';
async function createOrder(caller: CallerName, productId: string, idempotencyKey?: string) {
  const input = { productId, quantity: 1, ...(idempotencyKey ? { idempotencyKey } : {}) };
  return (await dataOf((await as(caller))(CREATE, { input }))).createOrder.id as string;
}
async function addStock(): Promise<string> {
  const siti = await as(SITI);
  const added = await dataOf(
    siti('mutation { addStock(input: { name: "Kopi", quantity: 100 }) { id } }'),
  );
  return added.addStock.id;
}

describe.each<Marks>(['marked', 'unmarked'])(
  'if the order fields are %s as private in the supergraph,',
  (marks) => {
    it('queries show an order only to its owner and to callers with order:read:all', async () => {
      const stock = await addStock();
      const order = await createOrder(SITI, stock);
      const see = async (caller: CallerName) => {
        const graph = await as(caller, marks);
        const QUERY = `query ($order: ID!, $stock: ID!) {
        order(id: $order) { id } orders(productId: $stock) { nodes { id } }
        stock(id: $stock) { orders { nodes { id } }
          movements(first: 1) { nodes { order { id status quantity } } } } }`;
        const seen = await dataOf(graph(QUERY, { order, stock }));
        return [
          seen.order?.id,
          seen.orders.nodes[0]?.id,
          seen.stock.orders.nodes[0]?.id,
          seen.stock.movements.nodes[0].order?.id,
        ];
      };
      await decided(order);
      expect(await see(SITI)).toEqual([order, order, order, order]);
      expect(await see(BUDI)).toEqual([undefined, undefined, undefined, undefined]);
      expect(await see(RITA)).toEqual([order, order, order, order]);
    });

    it('streams of a stock hide an order from other callers', async () => {
      const stock = await addStock();
      const STREAM = `subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) {
      kind stock { orders { nodes { id } } } order { id status productId } } }`;
      const callers: CallerName[] = [SITI, BUDI, RITA];
      const variables = { ids: [stock], after: await cursor() };
      const streams = await Promise.all(
        callers.map((caller) => watch(caller, STREAM, variables, marks)),
      );
      const again = await watch(SITI, STREAM, variables, marks);
      await subscribed(marks === 'marked' ? 3 : 2, marks);
      const order = await createOrder(SITI, stock);
      const shown = await Promise.all(
        [...streams, again].map(async (live) => {
          // The stream may start before the stock is added, so the order need not cause its first event.
          const { data } = await live.waitFor(
            ({ stockChanged }) => stockChanged.kind === 'ORDERED',
          );
          const { order, stock } = data.stockChanged;
          return [order?.id, stock.orders?.nodes.map(({ id }: { id: string }) => id)];
        }),
      );
      // If the fields are not marked, all callers share one stream, and the gateway sends no subject to
      // the subgraphs. The subgraphs therefore hide all orders.
      const own = marks === 'marked' ? [order, [order]] : [undefined, []];
      expect(shown).toEqual([own, [undefined, []], [order, [order]], own]);
    });

    it('the stream of an order hides the order from other callers', async () => {
      const order = await createOrder(SITI, await addStock());
      const STREAM = 'subscription ($id: ID!) { orderChanged(id: $id) { id status } }';
      const budi = await watch(BUDI, STREAM, { id: order }, marks);
      const rita = await watch(RITA, STREAM, { id: order }, marks);
      const siti = await watch(SITI, STREAM, { id: order }, marks);
      await rita.waitFor(({ orderChanged }) => orderChanged?.id === order);
      await budi.ended();
      expect(budi.seen().filter(({ orderChanged }) => orderChanged)).toEqual([]);
      expect(budi.errors()[0]?.extensions?.['code']).toBe('NOT_FOUND');
      if (marks === 'marked') await siti.waitFor(({ orderChanged }) => orderChanged?.id === order);
    });
  },
);

it('the ledger shows the decision about an order to all callers', async () => {
  const stock = await addStock();
  const order = await createOrder(SITI, stock);
  await decided(order);
  for (const caller of [SITI, BUDI, RITA]) {
    const graph = await as(caller);
    const QUERY = `query ($stock: ID!) { stock(id: $stock) { movements(first: 1) {
      nodes { order { id status rejectionReason decidedAt } } } } }`;
    const { stock: shown } = await dataOf(graph(QUERY, { stock }));
    expect(shown.movements.nodes[0].order).toEqual({
      id: order,
      status: 'CONFIRMED',
      rejectionReason: null,
      decidedAt: expect.any(String),
    });
  }
});

it('a stream that selects only the decision about an order is shared and shows it to all callers', async () => {
  const stock = await addStock();
  const STREAM =
    'subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) { order { id status rejectionReason decidedAt } } }';
  const variables = { ids: [stock], after: await cursor() };
  const streams = await Promise.all(
    [SITI, BUDI].map((caller) => watch(caller, STREAM, variables, 'marked')),
  );
  await subscribed(1, 'marked');
  const order = await createOrder(SITI, stock);
  for (const live of streams) {
    const { data } = await live.waitFor(({ stockChanged }) => stockChanged.order?.id === order);
    expect(data.stockChanged.order).toMatchObject({ status: 'CONFIRMED', rejectionReason: null });
  }
});

it('a watcher without a token sees null instead of an order of others, without errors or extensions', async () => {
  const stock = await addStock();
  const STREAM = `subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) {
    kind order { id status productId stock { id } } } }`;
  const variables = { ids: [stock], after: await cursor() };
  const live = await watch('anonymous', STREAM, variables, 'marked');
  await createOrder(SITI, stock);
  const event = await live.waitFor(({ stockChanged }) => stockChanged.kind === 'ORDERED');
  expect(event).toEqual({
    data: { stockChanged: { kind: 'ORDERED', order: null } },
    at: expect.any(Number),
  });
});

it('two callers can use the same idempotency key for different orders', async () => {
  const [stock, key] = [await addStock(), randomUUID()];
  const first = await createOrder(SITI, stock, key);
  expect(await createOrder(SITI, stock, key)).toBe(first);
  expect(await createOrder(BUDI, stock, key)).not.toBe(first);
});

it('a user cancels own orders until CANCEL_WITHIN, and support cancels every order', async () => {
  const CANCEL = 'mutation ($id: ID!) { cancelOrder(id: $id) { cancelRequestedAt } }';
  const url = `${system().gateway.url}/graphql`;
  const support = `Bearer ${await signToken({ sub: 'Tono', scope: 'order:write:all' })}`;
  const cancel = async (id: string, graph: Graph): Promise<unknown> => {
    const { data, errors } = await graph(CANCEL, { id });
    return errors?.[0]?.extensions?.['code'] ?? typeof data.cancelOrder.cancelRequestedAt;
  };
  const place = async () => createOrder(SITI, await addStock());
  const [own, late, other] = [await place(), await place(), await place()];
  await system().databases.order(
    `UPDATE orders SET created_at = created_at - interval '31 days' WHERE id = '${late}'`,
  );
  expect(await cancel(own, await as(BUDI))).toBe('NOT_FOUND');
  expect(await cancel(own, await as(SITI))).toBe('string');
  expect(await cancel(late, await as(SITI))).toBe('TOO_LATE');
  expect(await cancel(late, graphAt(url, support))).toBe('string');
  expect(await cancel(other, graphAt(url, support))).toBe('string');
});

it('the reason of a cancellation is visible only to the owner of the order', async () => {
  const id = await createOrder(SITI, await addStock());
  const siti = await as(SITI);
  await dataOf(
    siti('mutation ($id: ID!) { cancelOrder(id: $id, reason: "Salah pesan") { id } }', { id }),
  );
  const QUERY = 'query ($id: ID!) { order(id: $id) { cancelRequestedAt cancelReason } }';
  const seen = async (caller: CallerName) =>
    (await dataOf((await as(caller))(QUERY, { id }))).order;
  const cancelRequestedAt = expect.any(String);
  expect(await seen(SITI)).toEqual({ cancelRequestedAt, cancelReason: 'Salah pesan' });
  expect(await seen(RITA)).toEqual({ cancelRequestedAt, cancelReason: null });
});

it('an order without an owner is visible only to callers with order:read:all', async () => {
  const [row] = await system().databases.order(
    "INSERT INTO orders (id, product_id, quantity) VALUES (gen_random_uuid(), 'old', 1) RETURNING id",
  );
  const id = String((row as { id: unknown }).id);
  const seen = async (caller: CallerName) =>
    (await dataOf((await as(caller))('query ($id: ID!) { order(id: $id) { id } }', { id }))).order;
  expect(await seen(SITI)).toBeNull();
  expect(await seen(RITA)).toEqual({ id });
});

async function cursor(): Promise<string> {
  return (await dataOf((await as(SITI))('{ stockCursor }'))).stockCursor;
}

async function decided(order: string): Promise<void> {
  const rita = await as(RITA);
  await eventually(
    () => dataOf(rita('query ($id: ID!) { order(id: $id) { status } }', { id: order })),
    (data) => data.order?.status === 'CONFIRMED',
  );
}

/** Waits until a gateway has the given number of live streams. */
async function subscribed(streams: number, marks: Marks): Promise<void> {
  const metrics = new URL('/metrics', urls[marks]);
  await eventually(
    async () => {
      const text = await (await fetch(metrics)).text();
      return Number(/^gateway_live_streams\{.*\} (\d+)$/m.exec(text)?.[1]);
    },
    (count) => count === streams,
    { until: `the gateway has ${streams} streams` },
  );
}

it('a list of the client drops the orders of a caller when another one signs in', async () => {
  const stock = await addStock();
  const orders = { siti: await createOrder(SITI, stock), budi: await createOrder(BUDI, stock) };
  await Promise.all([decided(orders.siti), decided(orders.budi)]);
  let caller: CallerName = SITI;
  const client = createClient({
    url: urls.marked,
    webSocketImpl: WebSocket,
    token: async () => (await authorizationOf(caller))?.replace('Bearer ', ''),
  });
  const list = liveList(client, {
    query: `query ($product: ID!) { orderCursor
      orders(first: 100, productId: $product) { nodes { id version createdAt } } }`,
    variables: { product: stock },
    page: ({ orderCursor, orders }: OrdersPage) => ({ items: orders.nodes, cursor: orderCursor }),
    subscription: `subscription ($product: ID!) {
      ordersChanged(productId: $product) { order { id version createdAt } } }`,
    subscriptionVariables: { product: stock },
    event: ({ ordersChanged: { order } }: OrdersEvent) => ({ item: order }),
    id: ({ id }) => id,
    version: ({ version }) => version,
    compare: (a, b) => b.createdAt.localeCompare(a.createdAt),
  });
  lives.push({ close: async () => client.close() } as LiveClient);
  const ids = () => list.get().items.map(({ id }) => id);
  const becomes = (expected: string[]) =>
    eventually(
      () => [...ids(), list.get().state],
      (shown) => `${shown}` === `${[...expected, 'live']}`,
      { until: `the list shows ${expected}` },
    );
  await becomes([orders.siti]);

  let hasChanged = false;
  client.onIdentity(() => {
    hasChanged = true;
  });
  const shownToBudi = new Set<string>();
  list.subscribe(() => {
    if (hasChanged) for (const id of ids()) shownToBudi.add(id);
  });
  caller = BUDI;
  client.reconnect();
  await becomes([orders.budi]);
  const next = await createOrder(BUDI, stock);
  await createOrder(SITI, stock);
  await becomes([next, orders.budi]);
  expect([...shownToBudi].sort()).toEqual([next, orders.budi].sort());
});

interface ListedOrder {
  readonly id: string;
  readonly version: number;
  readonly createdAt: string;
}
interface OrdersPage {
  readonly orderCursor: string;
  readonly orders: { readonly nodes: readonly ListedOrder[] };
}
interface OrdersEvent {
  readonly ordersChanged: { readonly order: ListedOrder };
}
