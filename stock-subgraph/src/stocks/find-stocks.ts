import type { SnapshotScan } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
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
  const found = await database.statements.$queryRaw<StockRow[]>`
    SELECT ${STOCK_COLUMNS} FROM stocks WHERE id = ANY(${wanted}::text[]) AND deleted_at IS NULL`;
  const byId = new Map(found.map((stock) => [stock.id, stock]));
  return ids.map((id) => byId.get(id));
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
