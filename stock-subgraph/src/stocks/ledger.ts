import type { StockChangeKind } from '@gudang/events';
import type { Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';

/** A ledger entry: one row of `movements`. */
export interface MovementRow {
  readonly stockId: string;
  readonly version: number;
  readonly kind: StockChangeKind;
  readonly delta: number;
  readonly quantityAfter: number;
  readonly reason: string | null;
  /** The subject that made the change by a mutation. */
  readonly by: string | null;
  readonly orderId: string | null;
  readonly at: Date;
}

/** Finds one page of the ledger, newest entry first, for each of several stocks, with one statement. */
export async function findMovementPages(
  database: Database,
  stockIds: readonly string[],
  { size, after }: Page<number>,
): Promise<MovementRow[][]> {
  const behind = after === undefined ? Prisma.empty : Prisma.sql`AND version < ${after}`;
  const limit = Prisma.raw(String(size + 1));
  // Without a cursor, PostgreSQL makes the same plan for all values.
  const client = after === undefined ? database.statements : database.unprepared;
  const found = await client.$queryRaw<MovementRow[]>`
    SELECT page.* FROM unnest(${[...new Set(stockIds)]}::text[]) AS wanted (stock)
    CROSS JOIN LATERAL (
      SELECT stock_id AS "stockId", version, kind::text AS kind, delta,
             quantity_after AS "quantityAfter", reason, "by", order_id AS "orderId", at
      FROM movements WHERE stock_id = wanted.stock ${behind}
      ORDER BY version DESC LIMIT ${limit}
    ) AS page`;
  const byStock = new Map<string, MovementRow[]>();
  for (const row of found) {
    const ofStock = byStock.get(row.stockId);
    if (ofStock) ofStock.push(row);
    else byStock.set(row.stockId, [row]);
  }
  return stockIds.map((id) => byStock.get(id) ?? []);
}
