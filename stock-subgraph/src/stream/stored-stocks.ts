import type { SnapshotScan } from '@gudang/change-feed';
import type { Database } from '../database.ts';
import { findChangedStocks, findStocksById, type StockVersion } from '../stocks/find-stocks.ts';
import type { StockRow } from '../stocks/lock-stocks.ts';

/** The stored state that a stream sends in its snapshots. */
export interface StoredStocks {
  /**
   * Reads the next rows of a snapshot. With `ids`, it reads every row that remains: one for each id, and
   * undefined as the state of a stock that was never stored.
   */
  readonly read: (
    ids: readonly string[] | undefined,
    scan: SnapshotScan,
    limit: number,
  ) => Promise<readonly StoredStock[]>;
  /** Reads the versions of the stocks that changed since a time. */
  readonly versionsSince: (
    ids: readonly string[] | undefined,
    since: Date,
  ) => Promise<readonly StockVersion[]>;
}

export interface StoredStock {
  readonly id: string;
  /** The row, or the tombstone of a deleted stock. */
  readonly row: StockRow | undefined;
}

export function createStoredStocks(database: Database): StoredStocks {
  return {
    read: async (ids, scan, limit) => {
      const rows = await findStocksById(database, ids, scan, limit);
      if (!ids) return rows.map((row) => ({ id: row.id, row }));
      const byId = new Map(rows.map((row) => [row.id, row]));
      const { from } = scan;
      // The order of this list continues a snapshot, so it must not depend on the database's collation.
      const rest = [...new Set(ids)].sort().filter((id) => from === undefined || id > from);
      return rest.map((id) => ({ id, row: byId.get(id) }));
    },
    versionsSince: (ids, since) => findChangedStocks(database, ids, since),
  };
}
