import { randomUUID } from 'node:crypto';
import { encodeIdentity, IDENTITY_HEADER, type Identity, SECRET_HEADER } from '@gudang/auth';
import { formatCursor } from '@gudang/change-feed';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { startLiveClient } from '@gudang/testing/clients/live-client';
import { eventually } from '@gudang/testing/eventually';
import { productOf } from './fill.ts';
import type { Grown } from './growth-servers.ts';
import * as operations from './operations.ts';

const SECRET = 'between the services of the growth bench';
/** Settings of the order service that enable owners and the reconciler. */
export const HOT_ORDER_SETTINGS = { SUBGRAPH_SECRET: SECRET, RECONCILE_AFTER: '1' };
const CREATE = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }`;
const AT_ONCE = 20;

const graphOf = ({ part }: Grown, headers: Readonly<Record<string, string>> = {}) =>
  graphAt(`${part.url}/graphql`, undefined, { [SECRET_HEADER]: SECRET, ...headers });

/**
 * Makes both services execute every hot SQL statement: creates orders and waits until they are
 * settled, reads pages, and opens streams.
 */
export async function runHotStatements(order: Grown, stock: Grown): Promise<void> {
  const anybody = { subject: 'staff', scopes: ['order:read:all', 'order:read', 'order:write'] };
  const all = graphOf(order, { [IDENTITY_HEADER]: encodeIdentity(anybody) });
  const ownerOnly = { subject: 'owner-0', scopes: ['order:read'] };
  const own = graphOf(order, { [IDENTITY_HEADER]: encodeIdentity(ownerOnly) });
  const stocks = graphOf(stock);

  const create = (number: number, idempotencyKey: string) =>
    dataOf(all(CREATE, { input: { productId: productOf(number), quantity: 1, idempotencyKey } }));
  const keys = Array.from({ length: AT_ONCE }, () => randomUUID());
  await Promise.all(keys.map((key, number) => create(number, key)));
  await Promise.all(keys.map((key, number) => create(number, key)));
  const open = () => order.sql<{ id: string }>("SELECT id FROM orders WHERE status = 'PENDING'");
  await eventually(open, (left) => left.length === 0, {
    until: 'all orders are settled',
    within: 60_000,
  });

  const middle = await operations.cursorAt(order, 20_000);
  const period = await operations.middlePeriod(order, 50_000);
  const some = await order.sql<{ id: string }>('SELECT id FROM orders LIMIT 50');
  const products = [1, 2, 3].map(productOf);
  const pages = [
    {},
    { productId: productOf(7) },
    { status: 'REJECTED' },
    { productId: productOf(7), status: 'REJECTED' },
    // This product has no PENDING orders. Without an index, PostgreSQL would scan all of its
    // orders.
    { productId: productOf(7), status: 'PENDING' },
    period,
    { productId: productOf(7), ...period },
    { status: 'REJECTED', ...period },
  ];
  for (const filter of pages) {
    for (const graph of [all, own]) {
      for (const page of [
        operations.newestOrders(filter),
        operations.newestOrders({ ...filter, after: middle }),
        operations.lastOrders({ ...filter, before: middle }),
      ]) {
        await dataOf(graph(page.query, page.variables));
      }
    }
  }
  for (const asked of [
    operations.ordersById(some.map(({ id }) => id)),
    operations.ordersOfStocks(products),
    operations.ordersOfStocks(products, ', status: REJECTED'),
  ]) {
    await dataOf(all(asked.query, asked.variables));
  }
  for (const asked of [
    operations.newestStocks(),
    operations.newestStocks({ after: await operations.cursorAt(stock, 10_000) }),
    ...(await sortedStocks(stock)),
    operations.newestStocks({ search: 'kopi luwak yang tak ada' }),
    operations.newestStocks({ search: 'Barang' }),
    operations.stocksById(products),
    operations.movementsOf(products),
  ]) {
    await dataOf(stocks(asked.query, asked.variables));
  }
  await subscribeFromOldEpoch(stock);
  for (const identity of [anybody, ownerOnly]) await readChangedOrders(order, identity);
}

/** Subscribes from a cursor of another epoch, so that the service reads the orders that changed since. */
async function readChangedOrders({ part }: Grown, identity: Identity): Promise<void> {
  const age = 3_600_000;
  const cursor = { stream: 'o', epoch: randomUUID(), offset: 0, at: Date.now() - age };
  const live = await startLiveClient<{ ordersChanged: { kind: string } }>({
    url: `${part.url}/graphql`,
    query: 'subscription ($after: String) { ordersChanged(after: $after) { kind } }',
    variables: { after: formatCursor(cursor) },
    connectionParams: { gudang: { secret: SECRET } },
    extensions: { gudang: { identity } },
  });
  try {
    await live.waitFor(({ ordersChanged }) => ordersChanged.kind === 'SNAPSHOT');
  } finally {
    await live.close();
  }
}

/** Pages of stocks at the start and in the middle, of each sort, and of stocks with little quantity. */
async function sortedStocks(stock: Grown): Promise<readonly operations.Operation[]> {
  const pages = (['NAME_ASC', 'QUANTITY_ASC'] as const).map(async (sort) => {
    const middle = await operations.middleCursor(stock, sort);
    return [
      operations.newestStocks({ sort }),
      operations.newestStocks({ sort, after: middle }),
      operations.lastStocks({ sort, before: middle }),
      operations.newestStocks({ sort, quantityAtMost: 20 }),
    ];
  });
  const low = [0, 20, 50_000].map((quantityAtMost) => operations.newestStocks({ quantityAtMost }));
  return [...low, ...(await Promise.all(pages)).flat()];
}

/** Subscribes from a cursor of another epoch, so that the service reads a snapshot. */
async function subscribeFromOldEpoch({ part }: Grown): Promise<void> {
  const after = formatCursor({ epoch: randomUUID(), offset: 0, at: Date.now() });
  const live = await startLiveClient<{ stockChanged: { kind: string } }>({
    url: `${part.url}/graphql`,
    query: 'subscription ($after: String) { stockChanged(after: $after) { kind cursor } }',
    variables: { after },
  });
  try {
    await live.waitFor(({ stockChanged }) => stockChanged.kind === 'SNAPSHOT');
  } finally {
    await live.close();
  }
}
