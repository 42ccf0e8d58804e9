import type { SnapshotScan } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { STOCK_COLUMNS, type StockRow } from './lock-stocks.ts';

/**
 * Finds stocks by id. Returns one entry for each id: the stock, or undefined if it does not exist or was
 * deleted.
 */
export async function findStocks(
  database: Database,
  ids: readonly string[],
): Promise<(StockState | undefined)[]> {
  const wanted = [...new Set(ids)];
  const found = await database.stock.findMany({ where: { id: { in: wanted }, deletedAt: null } });
  const byId = new Map(found.map((stock) => [stock.id, stock]));
  return ids.map((id) => byId.get(id));
}

/** Returns a LIKE pattern that matches texts with `search` in them. Wildcards in `search` are escaped. */
function containsPattern(search: string): string {
  return `%${search.replace(/[\\%_]/g, '\\$&')}%`;
}

/**
 * Finds a page of stocks, newest first.
 * @returns up to `size + 1` rows, in the direction of reading
 */
export function findStockPage(
  database: Database,
  { size, forward, after, before }: Page<KeysetCursor>,
  search: string | undefined,
): Promise<StockState[]> {
  const row = ({ at, id }: KeysetCursor): Prisma.Sql => Prisma.sql`(${at}::timestamptz, ${id})`;
  const behind = after ? Prisma.sql`AND (created_at, id) < ${row(after)}` : Prisma.empty;
  const ahead = before ? Prisma.sql`AND (created_at, id) > ${row(before)}` : Prisma.empty;
  const matching =
    search === undefined
      ? Prisma.empty
      : Prisma.sql`AND (name ILIKE ${containsPattern(search)} OR id ILIKE ${containsPattern(search)})`;
  const order = forward
    ? Prisma.sql`ORDER BY created_at DESC, id DESC`
    : Prisma.sql`ORDER BY created_at, id`;
  // This query is raw SQL because Prisma cannot compare rows, such as `(a, b) < (c, d)`. With an
  // equivalent OR condition, PostgreSQL could not start an index scan at the cursor.
  return database.$queryRaw<StockState[]>`
    SELECT ${STOCK_COLUMNS} FROM stocks
    WHERE deleted_at IS NULL ${matching} ${behind} ${ahead} ${order} LIMIT ${size + 1}`;
}

/**
 * Finds stocks and tombstones, sorted by id: those that a snapshot still has to name. A tombstone has the
 * quantity that the stock had before its deletion.
 * @param ids finds all of these stocks, regardless of the time of their changes
 */
export async function findStocksById(
  database: Database,
  ids: readonly string[] | undefined,
  { isComplete, since, from }: SnapshotScan,
  limit: number,
): Promise<StockRow[]> {
  const time = new Date(since);
  const behind = from === undefined ? Prisma.empty : Prisma.sql`AND id > ${from}`;
  const matching = isComplete
    ? Prisma.sql`(deleted_at IS NULL OR deleted_at >= ${time}) ${behind}`
    : Prisma.sql`updated_at >= ${time} ${behind}`;
  const condition = ids ? Prisma.sql`id = ANY(${[...ids]}::text[])` : matching;
  const page = ids ? Prisma.empty : Prisma.sql`LIMIT ${limit}`;
  const rows = await database.$queryRaw<(StockRow & { lastQuantity: number })[]>`
    SELECT ${STOCK_COLUMNS}, CASE WHEN deleted_at IS NULL THEN quantity ELSE (
      SELECT -delta FROM movements WHERE stock_id = stocks.id AND version = stocks.version
    ) END AS "lastQuantity" FROM stocks
    WHERE ${condition} ORDER BY id ${page}`;
  return rows.map(({ lastQuantity, ...stock }) => ({ ...stock, quantity: lastQuantity }));
}

export type StockVersion = Pick<StockState, 'id' | 'version' | 'updatedAt'>;

/**
 * Finds the versions of the stocks that changed since a time.
 * @param ids finds only these stocks
 */
export function findChangedStocks(
  database: Database,
  ids: readonly string[] | undefined,
  since: Date,
): Promise<StockVersion[]> {
  const named = ids ? Prisma.sql`AND id = ANY(${[...ids]}::text[])` : Prisma.empty;
  return database.$queryRaw<StockVersion[]>`
    SELECT id, version, updated_at AS "updatedAt" FROM stocks WHERE updated_at >= ${since} ${named}`;
}
