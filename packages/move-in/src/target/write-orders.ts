import {
  encodeOrderChanged,
  encodeOrderCreated,
  ORDER_CHANGED,
  ORDER_CREATED,
} from '@gudang/events';
import type { OutboxEvent } from '@gudang/outbox';
import type pg from 'pg';
import type { PlannedOrder } from '../plan/plan.ts';
import { writeInParts } from './transactions.ts';

/** Inserts orders without an owner, each with its event. A PENDING order without a record is sent. */
export function insertOrders(client: pg.Client, orders: readonly PlannedOrder[]): Promise<void> {
  return writeInParts(client, orders, async (part) => {
    const { rows } = await client.query<{ id: string; changedAt: Date }>(
      `INSERT INTO orders (id, product_id, quantity, status, created_at, decided_at, version)
       SELECT id, product_id, quantity, status::order_status, created_at,
         CASE status WHEN 'CONFIRMED' THEN created_at END, CASE status WHEN 'CONFIRMED' THEN 2 ELSE 1 END
       FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::timestamptz[])
         AS moved (id, product_id, quantity, status, created_at)
       RETURNING id, changed_at AS "changedAt"`,
      [
        part.map(({ id }) => id),
        part.map(({ productId }) => productId),
        part.map(({ quantity }) => quantity),
        part.map(({ status }) => status),
        part.map(({ createdAt }) => createdAt),
      ],
    );
    const changedAt = rows[0]?.changedAt ?? new Date();
    return part.flatMap((order) => eventsOf(order, changedAt));
  });
}

function eventsOf(order: PlannedOrder, changedAt: Date): OutboxEvent[] {
  const { id, productId, status, createdAt } = order;
  const isDecided = status === 'CONFIRMED';
  const version = isDecided ? 2 : 1;
  const state = {
    ...{ id, productId, quantity: order.quantity, status, createdAt, version, changedAt },
    ...{ owner: '', rejectionReason: null, decidedAt: isDecided ? createdAt : null },
    ...{ cancelRequestedAt: null, cancelReason: null, cancelledAt: null },
  };
  const changed = encodeOrderChanged({
    order: state,
    previousStatus: isDecided ? 'PENDING' : null,
  });
  const isSent = order.isUnsent && !isDecided;
  return [
    { topic: ORDER_CHANGED, key: id, value: changed, version },
    ...(isSent ? [{ topic: ORDER_CREATED, key: productId, value: encodeOrderCreated(order) }] : []),
  ];
}
