import { formatKeysetCursor } from '@gudang/subgraph';
import type { Grown } from './growth-servers.ts';

/** A GraphQL request. */
export interface Operation {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

const ORDERS = `query ($first: Int, $after: String, $last: Int, $before: String, $productId: ID, $status: OrderStatus,
  $createdAfter: DateTime, $createdBefore: DateTime) {
  orders(first: $first, after: $after, last: $last, before: $before, productId: $productId, status: $status,
    createdAfter: $createdAfter, createdBefore: $createdBefore) {
    nodes { id productId quantity status createdAt decidedAt }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const STOCKS = `query ($first: Int, $after: String, $last: Int, $before: String, $search: String,
  $quantityAtMost: Int, $sort: StockSort) {
  stocks(first: $first, after: $after, last: $last, before: $before, search: $search,
    quantityAtMost: $quantityAtMost, sort: $sort) { nodes { id name quantity } pageInfo { endCursor } }
}`;
const PAGE_SIZE = 50;

type Variables = Readonly<Record<string, unknown>>;

export const newestOrders = (filter: Variables = {}): Operation => ({
  query: ORDERS,
  variables: { first: PAGE_SIZE, ...filter },
});
export const lastOrders = (filter: Variables = {}): Operation => ({
  query: ORDERS,
  variables: { last: PAGE_SIZE, ...filter },
});
export const newestStocks = (filter: Variables = {}): Operation => ({
  query: STOCKS,
  variables: { first: PAGE_SIZE, ...filter },
});

export const lastStocks = (filter: Variables = {}): Operation => ({
  query: STOCKS,
  variables: { last: PAGE_SIZE, ...filter },
});

export const ordersById = (ids: readonly string[]): Operation => ({
  query: `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { id status } } }`,
  variables: { r: ids.map((id) => ({ __typename: 'Order', id })) },
});

export const ordersOfStocks = (ids: readonly string[], filter = ''): Operation => ({
  query: `query ($r: [_Any!]!) { _entities(representations: $r) {
    ... on Stock { id orders(first: 5${filter}) { nodes { id status } } }
  } }`,
  variables: { r: ids.map((id) => ({ __typename: 'Stock', id })) },
});

export const stocksById = (ids: readonly string[], more = ''): Operation => ({
  query: `query ($r: [_Any!]!) { _entities(representations: $r) {
    ... on Stock { id name quantity ${more} }
  } }`,
  variables: { r: ids.map((id) => ({ __typename: 'Stock', id })) },
});

export const movementsOf = (ids: readonly string[]): Operation =>
  stocksById(ids, 'movements(first: 5) { nodes { delta quantityAfter at } }');

/** Returns arguments for the orders of five minutes in the middle of a table, which are 3,000 orders. */
export async function middlePeriod(grown: Pick<Grown, 'sql'>, size: number): Promise<Variables> {
  const [row] = await grown.sql<{ at: Date }>(
    'SELECT created_at AS at FROM orders ORDER BY created_at DESC OFFSET $1 LIMIT 1',
    [Math.floor(size / 2)],
  );
  const from = row?.at.getTime() ?? 0;
  return {
    createdAfter: new Date(from).toISOString(),
    createdBefore: new Date(from + 300_000).toISOString(),
  };
}

/**
 * Returns the cursor after the newest `depth` rows; undefined if the table does not have that many
 * rows.
 */
export async function cursorAt(
  { side, sql }: Pick<Grown, 'side' | 'sql'>,
  depth: number,
): Promise<string | undefined> {
  const [row] = await sql<{ at: Date; id: string }>(
    `SELECT created_at AS at, id::text AS id FROM ${side}s
     ORDER BY created_at DESC, ${side}s.id DESC OFFSET $1 LIMIT 1`,
    [depth],
  );
  return row && formatKeysetCursor(side === 'order' ? 'o:' : 's:', row);
}

/** Returns the cursor in the middle of the stocks by name or by quantity. */
export async function middleCursor(
  { sql }: Pick<Grown, 'sql'>,
  sort: 'NAME_ASC' | 'QUANTITY_ASC',
): Promise<string> {
  const [column, prefix] = sort === 'NAME_ASC' ? ['name', 'sn:'] : ['quantity', 'sq:'];
  const order = sort === 'NAME_ASC' ? 'lower(name) COLLATE "C"' : 'quantity';
  const [row] = await sql<{ value: unknown; id: string }>(
    `SELECT ${column} AS value, id FROM stocks ORDER BY ${order}, id
     OFFSET (SELECT count(*) / 2 FROM stocks) LIMIT 1`,
  );
  return Buffer.from(prefix + JSON.stringify([row?.value, row?.id])).toString('base64url');
}
