import type { OrderState, OrderStatus } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { isVisible, type OrderVisibility } from './order-visibility.ts';

/** Columns of an order, renamed to the fields of `OrderState`, for raw SELECT statements. */
export const ORDER_COLUMNS = Prisma.raw(`
  id, owner, product_id AS "productId", quantity, status::text AS status,
  rejection_reason::text AS "rejectionReason", created_at AS "createdAt", decided_at AS "decidedAt",
  version, changed_at AS "changedAt", cancel_requested_at AS "cancelRequestedAt",
  cancel_reason AS "cancelReason", cancelled_at AS "cancelledAt"`);

export interface OrderFilter {
  readonly visibility: OrderVisibility;
  readonly productId?: string | undefined;
  readonly status?: OrderStatus | undefined;
  /** Lower bound of `createdAt`, inclusive. */
  readonly createdAfter?: Date | undefined;
  /** Upper bound of `createdAt`, exclusive. */
  readonly createdBefore?: Date | undefined;
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Whether a text is a UUID, in any letter case. All ids of orders are UUIDs. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Finds orders by id.
 * @returns one entry for each id: the order, or undefined if no order has this id, the id is not a UUID,
 *   or the order is not visible
 */
export async function findOrders(
  database: Database,
  ids: readonly string[],
  visibility: OrderVisibility,
): Promise<(OrderState | undefined)[]> {
  const wanted = [...new Set(ids.filter(isUuid).map((id) => id.toLowerCase()))];
  if (wanted.length === 0) return ids.map(() => undefined);
  const found = await database.statements.$queryRaw<OrderState[]>`
    SELECT ${ORDER_COLUMNS} FROM orders WHERE id = ANY(${wanted}::uuid[])`;
  const visible = found.filter((order) => isVisible(visibility, order));
  const byId = new Map(visible.map((order) => [order.id, order]));
  return ids.map((id) => byId.get(id.toLowerCase()));
}

/** Returns the conditions of a keyset page. They compare rows by (created_at, id), as the indexes do. */
function within(page: Page<KeysetCursor>): Prisma.Sql {
  const { after, before } = page;
  const row = ({ at, id }: KeysetCursor): Prisma.Sql =>
    Prisma.sql`(${at}::timestamptz, ${id}::uuid)`;
  const behind = after ? Prisma.sql`AND (created_at, id) < ${row(after)}` : Prisma.empty;
  const ahead = before ? Prisma.sql`AND (created_at, id) > ${row(before)}` : Prisma.empty;
  return Prisma.sql`${behind} ${ahead}`;
}

function newestFirst(page: Page<KeysetCursor>): Prisma.Sql {
  const limit = Prisma.raw(String(page.size + 1));
  return page.forward
    ? Prisma.sql`ORDER BY created_at DESC, id DESC LIMIT ${limit}`
    : Prisma.sql`ORDER BY created_at, id LIMIT ${limit}`;
}

/**
 * Returns the condition for visible orders. It also requires a non-empty owner: the indexes by owner
 * contain only orders with an owner, so PostgreSQL cannot use them without this condition.
 */
export function visibleTo(visibility: OrderVisibility): Prisma.Sql {
  if (visibility === 'all') return Prisma.empty;
  return Prisma.sql`AND owner = ${visibility.owner ?? ''} AND owner <> ''`;
}

function matching(filter: OrderFilter): Prisma.Sql {
  const { visibility, productId, status, createdAfter, createdBefore } = filter;
  const ofProduct =
    productId === undefined ? Prisma.empty : Prisma.sql`AND product_id = ${productId}`;
  const ofStatus =
    status === undefined ? Prisma.empty : Prisma.sql`AND status = ${status}::order_status`;
  // The indexes of the pages contain `created_at`, so these conditions limit the scanned part of an index.
  const from = createdAfter ? Prisma.sql`AND created_at >= ${createdAfter}` : Prisma.empty;
  const until = createdBefore ? Prisma.sql`AND created_at < ${createdBefore}` : Prisma.empty;
  return Prisma.sql`${visibleTo(visibility)} ${ofProduct} ${ofStatus} ${from} ${until}`;
}

/**
 * Whether one plan is the best for all values, so that the page may be prepared: a scan of the index of all
 * orders. With an owner, a product or a second cursor, PostgreSQL may expect few rows and sort them, and some
 * owners have many.
 */
function isPlain({ after, before }: Page<KeysetCursor>, filter: OrderFilter): boolean {
  const { visibility, productId, status, createdAfter, createdBefore } = filter;
  const isFiltered = productId ?? status ?? createdAfter ?? createdBefore;
  return visibility === 'all' && isFiltered === undefined && !(after && before);
}

/**
 * Finds a page of orders, newest first.
 * @returns up to `page.size + 1` rows, in the direction of reading
 */
export function findOrderPage(
  database: Database,
  page: Page<KeysetCursor>,
  filter: OrderFilter,
): Promise<OrderState[]> {
  const client = isPlain(page, filter) ? database.statements : database.unprepared;
  // This query is raw SQL because Prisma cannot compare rows, such as `(a, b) < (c, d)`. With an
  // equivalent OR condition, PostgreSQL could not start an index scan at the cursor.
  return client.$queryRaw<OrderState[]>`
    SELECT ${ORDER_COLUMNS} FROM orders
    WHERE true ${matching(filter)} ${within(page)} ${newestFirst(page)}`;
}

/** Finds one page of orders for each of several products, with one statement. */
export async function findOrderPages(
  database: Database,
  productIds: readonly string[],
  page: Page<KeysetCursor>,
  filter: Pick<OrderFilter, 'visibility' | 'status'>,
): Promise<OrderState[][]> {
  // PostgreSQL does not know the products when it plans, prepared or not.
  const isFirst = page.after === undefined && page.before === undefined;
  const isKnown = isFirst && filter.visibility === 'all' && filter.status === undefined;
  const client = isKnown ? database.statements : database.unprepared;
  const found = await client.$queryRaw<OrderState[]>`
    SELECT page.* FROM unnest(${[...new Set(productIds)]}::text[]) AS wanted (product)
    CROSS JOIN LATERAL (
      SELECT ${ORDER_COLUMNS} FROM orders
      WHERE product_id = wanted.product ${matching(filter)} ${within(page)} ${newestFirst(page)}
    ) AS page`;
  const byProduct = new Map<string, OrderState[]>();
  for (const order of found) {
    const ofProduct = byProduct.get(order.productId);
    if (ofProduct) ofProduct.push(order);
    else byProduct.set(order.productId, [order]);
  }
  return productIds.map((productId) => byProduct.get(productId) ?? []);
}
