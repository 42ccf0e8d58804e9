import type { StockState } from '@gudang/events';
import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';

/** A row of `stocks`. The row of a deleted stock remains as a tombstone. */
export interface StockRow extends StockState {
  readonly deletedAt: Date | null;
}

/** Columns of a stock, renamed to the fields of `StockRow`, for raw SELECT statements. */
export const STOCK_COLUMNS = Prisma.raw(`
  id, name, quantity, version, created_at AS "createdAt", updated_at AS "updatedAt",
  deleted_at AS "deletedAt"`);

/**
 * Locks the rows of stocks, including tombstones, until the transaction ends. Also reads the database's
 * clock. The rows are locked in ascending order of their ids, so that transactions cannot deadlock.
 */
export async function lockStocks(
  transaction: Transaction,
  ids: readonly string[],
): Promise<{ stocks: Map<string, StockRow>; now: Date }> {
  const rows = await transaction.$queryRaw<(StockRow & { now: Date })[]>`
    SELECT clock.now, stock.* FROM (SELECT now() AS now) AS clock
    LEFT JOIN LATERAL (
      SELECT ${STOCK_COLUMNS} FROM stocks
      WHERE id = ANY(${[...new Set(ids)]}::text[]) ORDER BY id COLLATE "C" FOR UPDATE
    ) AS stock ON true`;
  const stocks = new Map(rows.filter((row) => row.id !== null).map((row) => [row.id, row]));
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('now() returned no row');
  return { stocks, now };
}
