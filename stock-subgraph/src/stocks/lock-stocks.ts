import type { Transaction } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { StoredStock } from './stored-stock.ts';

/** The columns of a stock under the names of `StoredStock`, for hand-written SELECTs. */
export const STOCK_COLUMNS = Prisma.raw(`
  id, name, quantity, version, created_at AS "createdAt", updated_at AS "updatedAt",
  deleted_at AS "deletedAt"`);

/**
 * Locks stocks until the transaction ends, tombstones too, and reads the database's clock.
 * Sorted the same way everywhere, so that no two transactions wait for each other.
 */
export async function lockStocks(
  transaction: Transaction,
  ids: readonly string[],
): Promise<{ stocks: Map<string, StoredStock>; now: Date }> {
  const rows = await transaction.$queryRaw<(StoredStock & { now: Date })[]>`
    SELECT clock.now, stock.* FROM (SELECT now() AS now) AS clock
    LEFT JOIN LATERAL (
      SELECT ${STOCK_COLUMNS} FROM stocks
      WHERE id = ANY(${[...new Set(ids)]}::text[]) ORDER BY id COLLATE "C" FOR UPDATE
    ) AS stock ON true`;
  const stocks = new Map(rows.filter((row) => row.id !== null).map((row) => [row.id, row]));
  const now = rows[0]?.now;
  if (now === undefined) throw new Error('The database told no time');
  return { stocks, now };
}
