import type { OrderState, OrderStatus } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { ORDER_COLUMNS } from './order-columns.ts';
import { isVisible, type OrderVisibility } from './order-visibility.ts';

export interface OrderFilter {
  readonly seen: OrderVisibility;
  readonly productId?: string | undefined;
  readonly status?: OrderStatus | undefined;
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The orders of these ids, in that order; undefined where there is none, the id is no UUID, or the
 * order is not to be seen.
 */
export async function findOrders(
  database: Database,
  ids: readonly string[],
  seen: OrderVisibility,
): Promise<(OrderState | undefined)[]> {
  const wanted = [...new Set(ids.filter((id) => UUID.test(id)).map((id) => id.toLowerCase()))];
  if (wanted.length === 0) return ids.map(() => undefined);
  const found = await database.order.findMany({ where: { id: { in: wanted } } });
  const shown = found.filter((order) => isVisible(seen, order));
  const byId = new Map(shown.map((order) => [order.id, order]));
  return ids.map((id) => byId.get(id.toLowerCase()));
}

/** The conditions of a keyset page: rows are compared as (created_at, id), as the indexes hold them. */
function within(page: Page<KeysetCursor>): Prisma.Sql {
  const { after, before } = page;
  const place = ({ at, id }: KeysetCursor): Prisma.Sql =>
    Prisma.sql`(${at}::timestamptz, ${id}::uuid)`;
  const behind = after ? Prisma.sql`AND (created_at, id) < ${place(after)}` : Prisma.empty;
  const ahead = before ? Prisma.sql`AND (created_at, id) > ${place(before)}` : Prisma.empty;
  return Prisma.sql`${behind} ${ahead}`;
}

function newestFirst(page: Page<KeysetCursor>): Prisma.Sql {
  return page.forward
    ? Prisma.sql`ORDER BY created_at DESC, id DESC LIMIT ${page.size + 1}`
    : Prisma.sql`ORDER BY created_at, id LIMIT ${page.size + 1}`;
}

/** Said again that it is not empty: the indexes of owners hold the orders that have one. */
function of(seen: OrderVisibility): Prisma.Sql {
  if (seen === 'all') return Prisma.empty;
  return Prisma.sql`AND owner = ${seen.owner ?? ''} AND owner <> ''`;
}

function matching({ seen, productId, status }: OrderFilter): Prisma.Sql {
  const ofProduct =
    productId === undefined ? Prisma.empty : Prisma.sql`AND product_id = ${productId}`;
  const ofStatus =
    status === undefined ? Prisma.empty : Prisma.sql`AND status = ${status}::order_status`;
  return Prisma.sql`${of(seen)} ${ofProduct} ${ofStatus}`;
}

/**
 * One row more than the page holds, in the direction it is read. SQL by hand because Prisma has
 * no row comparison, and the OR that stands for one cannot use the index to any depth.
 */
export function findOrderPage(
  database: Database,
  page: Page<KeysetCursor>,
  filter: OrderFilter,
): Promise<OrderState[]> {
  return database.$queryRaw<OrderState[]>`
    SELECT ${ORDER_COLUMNS} FROM orders
    WHERE true ${matching(filter)} ${within(page)} ${newestFirst(page)}`;
}

/** The same page of the orders of many products, in one statement. */
export async function findOrderPages(
  database: Database,
  productIds: readonly string[],
  page: Page<KeysetCursor>,
  filter: Pick<OrderFilter, 'seen' | 'status'>,
): Promise<OrderState[][]> {
  const found = await database.$queryRaw<OrderState[]>`
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
