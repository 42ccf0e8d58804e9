import type { OrderState, OrderStatus } from '@gudang/events';
import type { RowVersion } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { ORDER_COLUMNS, visibleTo } from './find-orders.ts';
import type { OrderVisibility } from './order-visibility.ts';

/** Position in the orders that are sorted by their last changes. */
export interface OrderPosition {
  readonly changedAt: Date;
  readonly id: string;
}

export interface ChangedOrdersFilter {
  readonly visibility: OrderVisibility;
  readonly productId?: string | undefined;
  /** The statuses now; undefined for any. */
  readonly statuses?: readonly OrderStatus[] | undefined;
}

export interface ChangedOrdersPage {
  readonly orders: readonly OrderState[];
  /** The last position that was read, if more may follow. */
  readonly next: OrderPosition | undefined;
}

/**
 * Number of rows that a page reads for each row of its limit, if a filter may leave out some of them. Without
 * this limit, one statement would read all orders of several days to find those of one product.
 */
const READ_PER_ROW = 4;
/** Maximum number of versions that are read at once. */
const VERSION_LIMIT = 10_000;

/**
 * Finds a page of the orders whose last change was in a period, sorted by the time of this change. The
 * indexes contain only the time and the owner, so the other filters apply to the rows that were read.
 */
export async function findChangedOrders(
  database: Database,
  {
    filter,
    since,
    until,
    from,
    limit,
  }: {
    readonly filter: ChangedOrdersFilter;
    /** First time of the period. */
    readonly since: Date;
    /** Last time of the period. */
    readonly until: Date;
    /** Continues after this position. */
    readonly from?: OrderPosition | undefined;
    readonly limit: number;
  },
): Promise<ChangedOrdersPage> {
  const { visibility, productId, statuses } = filter;
  const isFiltered = productId !== undefined || statuses !== undefined;
  const readLimit = isFiltered ? limit * READ_PER_ROW : limit;
  const behind = from
    ? Prisma.sql`AND (changed_at, id) > (${from.changedAt}::timestamptz, ${from.id}::uuid)`
    : Prisma.empty;
  const ofProduct =
    productId === undefined ? Prisma.empty : Prisma.sql`AND product_id = ${productId}`;
  const ofStatus = statuses
    ? Prisma.sql`AND status = ANY(${[...statuses]}::order_status[])`
    : Prisma.empty;
  const rows = await database.$queryRaw<FoundOrder[]>`
    WITH read AS (
      SELECT * FROM orders
      WHERE changed_at >= ${since} AND changed_at <= ${until} ${visibleTo(visibility)} ${behind}
      ORDER BY changed_at, id LIMIT ${readLimit}
    ), last AS (
      SELECT changed_at AS last_at, id AS last_id, (SELECT count(*)::int FROM read) AS count
      FROM read ORDER BY changed_at DESC, id DESC LIMIT 1
    )
    SELECT last_at AS "lastAt", last_id AS "lastId", count, ${ORDER_COLUMNS}
    FROM last LEFT JOIN read ON true ${ofProduct} ${ofStatus}
    ORDER BY changed_at, id`;
  const [first] = rows;
  const isLast = first === undefined || first.count < readLimit;
  return {
    orders: rows
      .filter(({ id }) => id !== null)
      .map(({ lastAt: _at, lastId: _id, count: _count, ...order }) => order),
    next: isLast ? undefined : { changedAt: first.lastAt, id: first.lastId },
  };
}

interface FoundOrder extends OrderState {
  readonly lastAt: Date;
  readonly lastId: string;
  readonly count: number;
}

/** Finds the versions of the orders that changed since a time; undefined if there are too many. */
export async function findOrderVersions(
  database: Database,
  { visibility, productId }: Pick<ChangedOrdersFilter, 'visibility' | 'productId'>,
  since: Date,
): Promise<readonly RowVersion[] | undefined> {
  const rows = await database.$queryRaw<(RowVersion & { readonly productId: string })[]>`
    SELECT id, version, changed_at AS "changedAt", product_id AS "productId" FROM orders
    WHERE changed_at >= ${since} ${visibleTo(visibility)}
    ORDER BY changed_at, id LIMIT ${VERSION_LIMIT + 1}`;
  if (rows.length > VERSION_LIMIT) return undefined;
  return productId === undefined ? rows : rows.filter((row) => row.productId === productId);
}
