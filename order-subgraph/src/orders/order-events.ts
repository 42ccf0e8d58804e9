import { ORDER_CHANGED, ORDER_CREATED } from '@gudang/events';
import { Prisma } from '../generated/prisma/client.ts';

const iso = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Returns an INSERT of `order_created` events into the outbox. The events are built in SQL, so that one
 * statement writes state and event, in one round trip and with the same timestamp. A test compares the
 * JSON with @gudang/events.
 * @param relation a relation with the columns of `orders`
 * @param traceparent the relation's column with the W3C traceparent of the event's cause
 */
export function orderCreatedFrom(relation: string, traceparent = 'NULL'): Prisma.Sql {
  return Prisma.raw(`
    INSERT INTO outbox (topic, key, value, traceparent)
    SELECT '${ORDER_CREATED}', convert_to(product_id, 'UTF8'), convert_to(json_build_object(
      'id', id, 'product_id', product_id, 'quantity', quantity, 'timestamp', ${iso('created_at')}
    )::text, 'UTF8'), ${traceparent}
    FROM ${relation}`);
}

/**
 * Returns an INSERT of `order_changed` events. A PENDING order has version 1; a decided order has version
 * 2.
 */
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
