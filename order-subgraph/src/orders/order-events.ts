import { ORDER_CHANGED, ORDER_CREATED } from '@gudang/events';
import { Prisma } from '../generated/prisma/client.ts';

const iso = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Writes the events of a relation that has the columns of `orders` into the outbox. In SQL, so
 * that state, time and event come from one statement: one round trip, one clock.
 * A test holds their shape against @gudang/events.
 * @param traceparent a column of the relation: what caused the event
 */
export function orderCreatedFrom(relation: string, traceparent = 'NULL'): Prisma.Sql {
  return Prisma.raw(`
    INSERT INTO outbox (topic, key, value, traceparent)
    SELECT '${ORDER_CREATED}', convert_to(product_id, 'UTF8'), convert_to(json_build_object(
      'id', id, 'product_id', product_id, 'quantity', quantity, 'timestamp', ${iso('created_at')}
    )::text, 'UTF8'), ${traceparent}
    FROM ${relation}`);
}

/** A PENDING order has version 1, a decided one 2. */
export function orderChangedFrom(relation: string, traceparent = 'NULL'): Prisma.Sql {
  return Prisma.raw(`
    INSERT INTO outbox (topic, key, value, version, traceparent)
    SELECT '${ORDER_CHANGED}', convert_to(id::text, 'UTF8'), convert_to(json_build_object(
      'id', id, 'owner', owner, 'product_id', product_id, 'quantity', quantity,
      'status', status, 'rejection_reason', rejection_reason,
      'created_at', ${iso('created_at')}, 'decided_at', ${iso('decided_at')}
    )::text, 'UTF8'), CASE status WHEN 'PENDING' THEN 1 ELSE 2 END, ${traceparent}
    FROM ${relation}`);
}
