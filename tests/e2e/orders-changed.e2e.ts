import { randomUUID } from 'node:crypto';
import { authorizationOf, type CallerName, SECURED } from '@gudang/testing/clients/callers';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { type LiveClient, startLiveClient } from '@gudang/testing/clients/live-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { gatewayMetric } from '@gudang/testing/system/bench-system';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterEach, beforeAll, expect, test } from 'vitest';

const SITI: CallerName = 'Siti with scopes';
const BUDI: CallerName = 'Budi with scopes';
const RITA: CallerName = 'Rita with order:read:all';
const STREAM = `subscription ($productId: ID, $status: OrderStatus, $after: String) {
  ordersChanged(productId: $productId, status: $status, after: $after) {
    kind at cursor order { id productId status version stock { id } } } }`;

interface Change {
  readonly kind: string;
  readonly cursor: string;
  readonly order: { readonly id: string; readonly version: number };
}
type Live = LiveClient<{ readonly ordersChanged: Change }>;
type Shop = ReturnType<typeof createShopClient>;

const system = useSystem({ environment: { all: SECURED } });
const shops = new Map<CallerName, Shop>();
beforeAll(async () => {
  for (const caller of [SITI, BUDI, RITA]) {
    const graph = graphAt(`${system().gateway.url}/graphql`, await authorizationOf(caller));
    shops.set(caller, createShopClient(graph));
  }
});
const lives: Live[] = [];
afterEach(async () => {
  system().stock.kill('SIGCONT');
  for (const live of lives.splice(0)) await live.close();
});

const shopOf = (caller: CallerName): Shop => shops.get(caller) as Shop;

async function ask(caller: CallerName, query: string, variables = {}) {
  const graph = graphAt(`${system().gateway.url}/graphql`, await authorizationOf(caller));
  return dataOf(graph(query, variables));
}

const cursorOf = async (caller: CallerName): Promise<string> =>
  (await ask(caller, '{ orderCursor orders(first: 1) { nodes { id } } }')).orderCursor;

async function watch(
  caller: CallerName,
  variables: Readonly<Record<string, unknown>>,
  more: { readonly resumes?: boolean; readonly extensions?: Record<string, unknown> } = {},
): Promise<Live> {
  const { resumes = false, extensions } = more;
  const live: Live = await startLiveClient({
    url: () => system().gateway.url.concat('/graphql'),
    query: STREAM,
    variables,
    authorization: await authorizationOf(caller),
    ...(extensions ? { extensions } : {}),
    ...(resumes
      ? {
          resume: (last: { ordersChanged: Change } | undefined) =>
            last ? { ...variables, after: last.ordersChanged.cursor } : variables,
        }
      : {}),
  });
  lives.push(live);
  return live;
}

const kindsOf = (live: Live, order?: string): string[] =>
  live
    .seen()
    .map(({ ordersChanged }) => ordersChanged)
    .filter((change) => order === undefined || change.order.id === order)
    .map(({ kind, order: { version } }) => `${kind} ${version}`);

const has = (live: Live, id: string, kind: string) =>
  live.waitFor(({ ordersChanged }) => ordersChanged.order.id === id && ordersChanged.kind === kind);

/** A cursor of another epoch, so that the stream begins with a snapshot. */
const lostCursor = (age: number): string =>
  Buffer.from(`1o,${randomUUID()},0,${(Date.now() - age).toString(36)}`).toString('base64url');

test('sends the changes of an order from its creation to its cancellation', async () => {
  const siti = shopOf(SITI);
  const stock = await siti.addStock({ quantity: 5 });
  const live = await watch(SITI, { after: await cursorOf(SITI) });
  const order = await siti.createOrder({ productId: stock.id, quantity: 2 });
  const rejected = await siti.createOrder({ productId: stock.id, quantity: 9 });
  const confirmed = await has(live, order.id, 'CONFIRMED');
  expect(confirmed.data?.ordersChanged).toEqual({
    kind: 'CONFIRMED',
    cursor: expect.any(String),
    at: expect.stringMatching(/^\d{4}-.*T.*Z$/),
    order: {
      id: order.id,
      productId: stock.id,
      status: 'CONFIRMED',
      version: 2,
      stock: { id: stock.id },
    },
  });
  await has(live, rejected.id, 'REJECTED');
  await ask(SITI, 'mutation ($id: ID!) { cancelOrder(id: $id) { id } }', { id: order.id });
  await has(live, order.id, 'CANCELLED');
  expect(kindsOf(live, order.id)).toEqual([
    'CREATED 1',
    'CONFIRMED 2',
    'CANCEL_REQUESTED 3',
    'CANCELLED 4',
  ]);
  expect(kindsOf(live, rejected.id)).toEqual(['CREATED 1', 'REJECTED 2']);
});

test('shows an order only to its owner and to callers with order:read:all, and shares their streams', async () => {
  const siti = shopOf(SITI);
  const stock = await siti.addStock({ quantity: 5 });
  const after = await cursorOf(RITA);
  const streams = () => gatewayMetric(system(), 'gateway_live_streams');
  await eventually(streams, (count) => count === 0);
  const [own, again, other, all] = [
    await watch(SITI, { after }),
    await watch(SITI, { after }),
    await watch(BUDI, { after }),
    await watch(RITA, { after }),
  ];
  await eventually(streams, (count) => count === 3, {
    until: 'there is one stream of each caller',
  });
  const order = await siti.createOrder({ productId: stock.id, quantity: 1 });
  const theirs = await shopOf(BUDI).createOrder({ productId: stock.id, quantity: 1 });
  for (const live of [own, again, all]) await has(live, order.id, 'CONFIRMED');
  for (const live of [other, all]) await has(live, theirs.id, 'CONFIRMED');
  for (const live of [own, again]) expect(kindsOf(live, theirs.id)).toEqual([]);
  expect(kindsOf(other, order.id)).toEqual([]);
});

test('sends the changes of orders that had or have a status, of a product', async () => {
  const siti = shopOf(SITI);
  const [stock, another] = [
    await siti.addStock({ quantity: 5 }),
    await siti.addStock({ quantity: 5 }),
  ];
  const after = await cursorOf(SITI);
  const pending = await watch(SITI, { after, status: 'PENDING', productId: stock.id });
  const rejected = await watch(SITI, { after, status: 'REJECTED' });
  const unwanted = await siti.createOrder({ productId: another.id, quantity: 1 });
  const left = await siti.createOrder({ productId: stock.id, quantity: 1 });
  const refused = await siti.createOrder({ productId: stock.id, quantity: 100 });
  await has(pending, left.id, 'CONFIRMED');
  await has(pending, refused.id, 'REJECTED');
  await has(rejected, refused.id, 'REJECTED');
  expect(kindsOf(pending, left.id)).toEqual(['CREATED 1', 'CONFIRMED 2']);
  expect(kindsOf(pending, refused.id)).toEqual(['CREATED 1', 'REJECTED 2']);
  expect(kindsOf(rejected)).toEqual(['REJECTED 2']);
  expect(kindsOf(pending, unwanted.id)).toEqual([]);
});

test('misses no change when the order subgraph and the gateway are killed', async () => {
  const siti = shopOf(SITI);
  const stock = await siti.addStock({ quantity: 100 });
  const live = await watch(SITI, { after: await cursorOf(SITI) }, { resumes: true });
  const ids: string[] = [];
  const place = async (): Promise<void> => {
    for (let count = 0; count < 5; count += 1) {
      ids.push((await siti.createOrder({ productId: stock.id, quantity: 1 })).id);
    }
  };
  await place();
  await system().order.restart();
  await place();
  await system().gateway.restart();
  await place();
  for (const id of ids) await has(live, id, 'CONFIRMED');
  for (const id of ids) {
    const versions = new Set(kindsOf(live, id));
    expect([...versions]).toEqual(['CREATED 1', 'CONFIRMED 2']);
  }
});

test('sends a snapshot of the orders that changed since a lost cursor, which is not complete', async () => {
  const product = `old-${randomUUID()}`;
  const { databases } = system();
  await databases.order(
    `INSERT INTO orders (id, owner, product_id, quantity, changed_at)
     SELECT gen_random_uuid(), owner, $1, 1, now() - age
     FROM (VALUES ('Siti', interval '10 minutes'), ('Siti', interval '3 hours'), ('Budi', interval '0'))
       AS made (owner, age)`,
    [product],
  );
  const after = lostCursor(3_600_000);
  const live = await watch(SITI, { after, productId: product }, { extensions: { live: {} } });
  const markers = () => live.events.flatMap(({ extensions }) => extensions?.live?.snapshot ?? []);
  await eventually(markers, (all) => all.length === 2, { until: 'the snapshot ends' });
  expect(markers()).toEqual([
    { phase: 'begin', complete: false, reset: true },
    { phase: 'end', complete: false, reset: false },
  ]);
  expect(kindsOf(live)).toEqual(['SNAPSHOT 1']);
});

test('rejects a lost cursor that is older than SNAPSHOT_DAYS, and a cursor of stocks', async () => {
  const old = await watch(SITI, { after: lostCursor(8 * 86_400_000) });
  await old.ended();
  expect(old.errors()).toMatchObject([
    {
      message: expect.stringMatching(/Query the list first/),
      extensions: { code: 'CURSOR_EXPIRED' },
    },
  ]);
  const foreign = await watch(SITI, { after: await shopOf(SITI).stockCursor() });
  await foreign.ended();
  expect(foreign.errors()).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT', argument: 'after' } },
  ]);
});
