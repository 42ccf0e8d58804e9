import { encodeStockChanged, STOCK_CHANGED, type StockChanged } from '@gudang/events';
import type { OutboxEvent } from '@gudang/outbox';
import type pg from 'pg';
import type { MovedAgain } from '../plan/compare.ts';
import type { PlannedDecision } from '../plan/plan.ts';
import type { PlannedStock } from '../plan/plan-stocks.ts';
import { writeInParts } from './transactions.ts';

interface WrittenStock {
  readonly id: string;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Inserts stocks, each with its ledger entry and its event. */
export function insertStocks(client: pg.Client, stocks: readonly PlannedStock[]): Promise<void> {
  return writeInParts(client, stocks, async (part) => {
    const { rows } = await client.query<WrittenStock>(
      `WITH stock AS (
         INSERT INTO stocks (id, name, quantity)
         SELECT * FROM unnest($1::text[], $2::text[], $3::int[])
         RETURNING *
       ), entry AS (
         INSERT INTO movements (stock_id, version, kind, delta, quantity_after, reason, at)
         SELECT stock.id, version, 'CREATED', quantity, quantity, moved.reason, updated_at
         FROM stock JOIN unnest($1::text[], $4::text[]) AS moved (id, reason) USING (id)
       )
       SELECT id, version, created_at AS "createdAt", updated_at AS "updatedAt" FROM stock`,
      [
        part.map(({ id }) => id),
        part.map(({ name }) => name),
        part.map(({ quantity }) => quantity),
        part.map(({ reason }) => reason),
      ],
    );
    return eventsOf(rows, part, 'CREATED', ({ quantity }) => quantity);
  });
}

/**
 * Sets the quantities and names of stocks that were moved before. A stock that has changed since the plan
 * is left out, so that the next move reports it.
 */
export function moveAgain(client: pg.Client, stocks: readonly MovedAgain[]): Promise<void> {
  return writeInParts(client, stocks, async (part) => {
    const { rows } = await client.query<WrittenStock>(
      `WITH stock AS (
         UPDATE stocks SET name = moved.name, quantity = moved.quantity,
           version = stocks.version + 1, updated_at = now()
         FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])
           AS moved (id, name, quantity, version)
         WHERE stocks.id = moved.id AND stocks.version = moved.version
         RETURNING stocks.*
       ), entry AS (
         INSERT INTO movements (stock_id, version, kind, delta, quantity_after, reason, at)
         SELECT stock.id, version, 'UPDATED', moved.delta, quantity, moved.reason, updated_at
         FROM stock JOIN unnest($1::text[], $5::int[], $6::text[]) AS moved (id, delta, reason)
           USING (id)
       )
       SELECT id, version, created_at AS "createdAt", updated_at AS "updatedAt" FROM stock`,
      [
        part.map(({ id }) => id),
        part.map(({ name }) => name),
        part.map(({ quantity }) => quantity),
        part.map(({ version }) => version),
        part.map(({ delta }) => delta),
        part.map(({ reason }) => reason),
      ],
    );
    return eventsOf(rows, part, 'UPDATED', ({ delta }) => delta);
  });
}

function eventsOf<S extends PlannedStock>(
  rows: readonly WrittenStock[],
  stocks: readonly S[],
  kind: StockChanged['kind'],
  deltaOf: (stock: S) => number,
): OutboxEvent[] {
  const written = new Map(rows.map((row) => [row.id, row]));
  return stocks.flatMap((stock) => {
    const row = written.get(stock.id);
    if (row === undefined) return [];
    const { name, quantity } = stock;
    const value = encodeStockChanged({
      stock: { ...row, name, quantity },
      kind,
      delta: deltaOf(stock),
      orderId: null,
    });
    return [{ topic: STOCK_CHANGED, key: stock.id, value, version: row.version }];
  });
}

/**
 * Inserts decisions. Each has the version of a stock that is or will be moved, as if the order had been
 * subtracted just then, so that a cancelled order returns its quantity to the stock. There are no events:
 * the orders are moved with their status.
 * @param newStocks the stocks that will be inserted
 */
export function insertDecisions(
  client: pg.Client,
  decisions: readonly PlannedDecision[],
  newStocks: readonly PlannedStock[],
): Promise<void> {
  const isNew = new Set(newStocks.map(({ id }) => id));
  return writeInParts(client, decisions, async (part) => {
    await client.query(
      `INSERT INTO decisions (order_id, product_id, quantity, status, decided_at, stock_version)
       SELECT decision.order_id, decision.product_id, decision.quantity, 'CONFIRMED',
         decision.decided_at, COALESCE(stocks.version, decision.version)
       FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::int[])
         AS decision (order_id, product_id, quantity, decided_at, version)
       LEFT JOIN stocks ON stocks.id = decision.product_id AND stocks.deleted_at IS NULL
       ORDER BY decision.order_id`,
      [
        part.map(({ orderId }) => orderId),
        part.map(({ productId }) => productId),
        part.map(({ quantity }) => quantity),
        part.map(({ decidedAt }) => decidedAt),
        part.map(({ productId }) => (isNew.has(productId) ? FIRST_VERSION : null)),
      ],
    );
    return [];
  });
}

/** The version of a new stock. */
const FIRST_VERSION = 1;
