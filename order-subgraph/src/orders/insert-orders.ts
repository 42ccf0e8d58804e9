import { randomUUID } from 'node:crypto';
import type { OrderState } from '@gudang/events';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { ORDER_COLUMNS } from './order-columns.ts';
import { orderChangedFrom, orderCreatedFrom } from './order-events.ts';

export interface NewOrder {
  readonly owner: string;
  readonly productId: string;
  readonly quantity: number;
  readonly idempotencyKey: string | null;
  /** What caused it: carried on by its events. */
  readonly traceparent?: string | undefined;
}

/**
 * Stores orders and their events in one statement, which is its own transaction: 0.42 ms of CPU
 * an order where two Prisma creates in a transaction take 1.43.
 * @returns for each order given, in that order, what is stored: of a known idempotency key, the
 *   order that was there before
 */
export async function insertOrders(
  database: Database,
  orders: readonly NewOrder[],
): Promise<OrderState[]> {
  const ids = orders.map(() => randomUUID());
  const { caused, relation, traceparent } = causesOf(orders, ids);
  const created = await database.statements.$queryRaw<OrderState[]>`
    WITH created AS (
      INSERT INTO orders (id, owner, idempotency_key, product_id, quantity)
      SELECT * FROM unnest(
        ${ids}::uuid[],
        ${orders.map((order) => order.owner)}::text[],
        ${orders.map((order) => order.idempotencyKey)}::text[],
        ${orders.map((order) => order.productId)}::text[],
        ${orders.map((order) => order.quantity)}::int[]
      )
      ON CONFLICT (owner, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
      RETURNING *
    )${caused}, created_event AS (${orderCreatedFrom(relation, traceparent)}
    ), changed_event AS (${orderChangedFrom(relation, traceparent)}
    )
    SELECT ${ORDER_COLUMNS} FROM created`;
  const byId = new Map(created.map((order) => [order.id, order]));
  const stored = ids.map((id) => byId.get(id));
  const missing = orders.filter((_order, index) => stored[index] === undefined);
  if (missing.length === 0) return stored as OrderState[];

  const known = await findByKeys(database, missing);
  return orders.map((order, index) => {
    const found = stored[index] ?? known.get(JSON.stringify([order.owner, order.idempotencyKey]));
    if (found === undefined) throw new Error('An order was neither stored nor found by its key');
    return found;
  });
}

/**
 * What caused each order, as a part of the statement. Only when something is known of one: it takes
 * 50 µs of PostgreSQL's CPU for a lone order, 2 µs for one of many.
 */
function causesOf(orders: readonly NewOrder[], ids: readonly string[]) {
  const traceparents = orders.map((order) => order.traceparent ?? null);
  if (traceparents.every((one) => one === null)) {
    return { caused: Prisma.empty, relation: 'created', traceparent: 'NULL' };
  }
  const caused = Prisma.sql`, caused AS (
      SELECT created.*, cause.traceparent
      FROM created JOIN unnest(${ids}::uuid[], ${traceparents}::text[])
        AS cause (order_id, traceparent) ON order_id = id
    )`;
  return { caused, relation: 'caused', traceparent: 'traceparent' };
}

/** Their transactions are committed: the insert waited for them before it gave way. */
async function findByKeys(
  database: Database,
  orders: readonly NewOrder[],
): Promise<Map<string, OrderState>> {
  const found = await database.$queryRaw<(OrderState & { idempotencyKey: string })[]>`
    SELECT ${ORDER_COLUMNS}, idempotency_key AS "idempotencyKey" FROM orders
    WHERE (owner, idempotency_key) IN (${Prisma.join(
      orders.map((order) => Prisma.sql`(${order.owner}, ${order.idempotencyKey})`),
    )})`;
  return new Map(
    found.map((order) => [JSON.stringify([order.owner, order.idempotencyKey]), order]),
  );
}
