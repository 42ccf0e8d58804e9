import { ORDER_CANCELLED, ORDER_CHANGED, ORDER_CREATED } from '@gudang/events';
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
  return requestFrom(relation, { topic: ORDER_CREATED, at: 'created_at', traceparent });
}

/** Returns an INSERT of `order_cancelled` events. The parameters are the same as of `orderCreatedFrom`. */
export function orderCancelledFrom(relation: string, traceparent = 'NULL'): Prisma.Sql {
  return requestFrom(relation, { topic: ORDER_CANCELLED, at: 'cancel_requested_at', traceparent });
}

/** Both events for the stock service have the same fields. `at` is the column with their timestamp. */
function requestFrom(
  relation: string,
  { topic, at, traceparent }: { topic: string; at: string; traceparent: string },
): Prisma.Sql {
  return Prisma.raw(`
    INSERT INTO outbox (topic, key, value, traceparent)
    SELECT '${topic}', convert_to(product_id, 'UTF8'), convert_to(json_build_object(
      'id', id, 'product_id', product_id, 'quantity', quantity, 'timestamp', ${iso(at)}
    )::text, 'UTF8'), ${traceparent}
    FROM ${relation}`);
}

/** The fields of `order_changed` that every event has. */
const COMMON_FIELDS = `
      'id', id, 'owner', owner, 'product_id', product_id, 'quantity', quantity,
      'status', status, 'rejection_reason', rejection_reason,
      'created_at', ${iso('created_at')}, 'decided_at', ${iso('decided_at')}, 'version', version`;

/**
 * Returns an INSERT of `order_changed` events, with the relation's rows as the orders' states after the
 * change.
 * @param relation a relation with the columns of `orders`
 * @param options.previousStatus SQL of the status before the change
 * @param options.traceparent the relation's column with the W3C traceparent of the event's cause
 */
export function orderChangedFrom(
  relation: string,
  { previousStatus, traceparent }: { previousStatus: string; traceparent: string },
): Prisma.Sql {
  const fields = `${COMMON_FIELDS},
      'changed_at', ${iso('changed_at')},
      'cancel_requested_at', ${iso('cancel_requested_at')}, 'cancel_reason', cancel_reason,
      'cancelled_at', ${iso('cancelled_at')}, 'previous_status', ${previousStatus}`;
  return changesFrom(relation, fields, traceparent);
}

/** The columns of `orders` that the events of a new order need. */
export const NEW_ORDER_COLUMNS = Prisma.raw(
  'id, owner, product_id, quantity, status, rejection_reason, created_at, decided_at, version',
);

/**
 * Returns an INSERT of the `order_changed` events of new orders. They omit the other fields, which are null
 * for a new order, or equal to `created_at`. All fields would cost PostgreSQL 5 % more CPU time.
 */
export function orderPlacedFrom(relation: string, traceparent: string): Prisma.Sql {
  return changesFrom(relation, COMMON_FIELDS, traceparent);
}

function changesFrom(relation: string, fields: string, traceparent: string): Prisma.Sql {
  return Prisma.raw(`
    INSERT INTO outbox (topic, key, value, version, traceparent)
    SELECT '${ORDER_CHANGED}', convert_to(id::text, 'UTF8'),
      convert_to(json_build_object(${fields})::text, 'UTF8'), version, ${traceparent}
    FROM ${relation}`);
}
