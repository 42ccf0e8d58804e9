import type { StockState } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { STOCK_COLUMNS } from './lock-stocks.ts';
import type { StoredStock } from './stored-stock.ts';

/** The living stocks of these ids, in that order; undefined where there is none. */
export async function findStocks(
  database: Database,
  ids: readonly string[],
): Promise<(StockState | undefined)[]> {
  const wanted = [...new Set(ids)];
  const found = await database.stock.findMany({ where: { id: { in: wanted }, deletedAt: null } });
  const byId = new Map(found.map((stock) => [stock.id, stock]));
  return ids.map((id) => byId.get(id));
}

/** The text as LIKE takes it: its own wildcards stand for themselves. */
function contains(search: string): string {
  return `%${search.replace(/[\\%_]/g, '\\$&')}%`;
}

/**
 * One row more than the page holds, in the direction it is read. SQL by hand because Prisma has
 * no row comparison, and the OR that stands for one cannot use the index to any depth.
 */
export function findStockPage(
  database: Database,
  { size, forward, after, before }: Page<KeysetCursor>,
  search: string | undefined,
): Promise<StockState[]> {
  const place = ({ at, id }: KeysetCursor): Prisma.Sql => Prisma.sql`(${at}::timestamptz, ${id})`;
  const behind = after ? Prisma.sql`AND (created_at, id) < ${place(after)}` : Prisma.empty;
  const ahead = before ? Prisma.sql`AND (created_at, id) > ${place(before)}` : Prisma.empty;
  const matching =
    search === undefined
      ? Prisma.empty
      : Prisma.sql`AND (name ILIKE ${contains(search)} OR id ILIKE ${contains(search)})`;
  const order = forward
    ? Prisma.sql`ORDER BY created_at DESC, id DESC`
    : Prisma.sql`ORDER BY created_at, id`;
  return database.$queryRaw<StockState[]>`
    SELECT ${STOCK_COLUMNS} FROM stocks
    WHERE deleted_at IS NULL ${matching} ${behind} ${ahead} ${order} LIMIT ${size + 1}`;
}

/**
 * Stocks by id from `from` on, tombstones of deletions since a moment among them: those with the
 * quantity that they had last.
 */
export async function findStocksById(
  database: Database,
  {
    ids,
    from,
    deletedSince,
    limit,
  }: {
    ids: readonly string[] | undefined;
    /** Only ids behind this one. */
    from: string | undefined;
    deletedSince: Date;
    limit: number;
  },
): Promise<StoredStock[]> {
  const named = ids ? Prisma.sql`AND id = ANY(${[...ids]}::text[])` : Prisma.empty;
  const behind = from === undefined ? Prisma.empty : Prisma.sql`AND id > ${from}`;
  const rows = await database.$queryRaw<(StoredStock & { shownQuantity: number })[]>`
    SELECT ${STOCK_COLUMNS}, CASE WHEN deleted_at IS NULL THEN quantity ELSE (
      SELECT -delta FROM movements WHERE stock_id = stocks.id AND version = stocks.version
    ) END AS "shownQuantity" FROM stocks
    WHERE (deleted_at IS NULL OR deleted_at >= ${deletedSince}) ${named} ${behind}
    ORDER BY id LIMIT ${limit}`;
  return rows.map(({ shownQuantity, ...stock }) => ({ ...stock, quantity: shownQuantity }));
}
