import type { OrderDecided, OrderState } from '@gudang/events';
import type { DeadLetters, InboxMessage } from '@gudang/outbox';
import type { Database, Transaction } from '../database.ts';
import { orderChangedFrom } from '../orders/order-events.ts';
import { settle } from './settle.ts';

/** Number of records for each outcome, for the metric. */
export type SettledCounts = Readonly<
  Record<'settled' | 'repeat' | 'foreign' | 'dead_letter', number>
>;

/**
 * Applies a batch of decisions to order_db in one transaction: locks the orders, settles the pending
 * orders, and writes their statuses and events. The orders are locked in ascending order of their ids, so
 * that two batches cannot deadlock.
 */
export function settleOrders(
  database: Database,
  batch: readonly InboxMessage<OrderDecided>[],
  deadLetters: DeadLetters,
): Promise<SettledCounts> {
  const decisions = batch.map(({ message, record, traceparent }) => ({
    ...message,
    record,
    traceparent,
  }));
  return database.transaction(async (transaction) => {
    const orders = await lockOrders(transaction, decisions);
    const { settled, repeats, foreign, contradictions } = settle(orders, decisions);
    if (settled.length > 0) await writeSettled(transaction, settled);
    const found = contradictions.map(({ decision: { record }, reason }) => ({ record, reason }));
    const deadLetterCount = await deadLetters.write(transaction, found);
    return {
      settled: settled.length,
      repeat: repeats.length,
      foreign: foreign.length,
      dead_letter: deadLetterCount,
    };
  });
}

async function lockOrders(
  transaction: Transaction,
  decisions: readonly OrderDecided[],
): Promise<Map<string, Pick<OrderState, 'productId' | 'status' | 'rejectionReason'>>> {
  if (decisions.length === 0) return new Map();
  const ids = [...new Set(decisions.map((decision) => decision.orderId))];
  const rows = await transaction.$queryRaw<OrderState[]>`
    SELECT id, product_id AS "productId", status::text AS status,
           rejection_reason::text AS "rejectionReason"
    FROM orders WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR UPDATE`;
  return new Map(rows.map((row) => [row.id, row]));
}

async function writeSettled(
  transaction: Transaction,
  settled: readonly (OrderDecided & Pick<InboxMessage<unknown>, 'traceparent'>)[],
): Promise<void> {
  await transaction.$executeRaw`
    WITH decided AS (
      UPDATE orders SET
        status = decision.status::order_status,
        rejection_reason = decision.reason::rejection_reason,
        decided_at = decision.at,
        version = orders.version + 1,
        changed_at = now()
      FROM unnest(
        ${settled.map((decision) => decision.orderId)}::uuid[],
        ${settled.map((decision) => decision.status)}::text[],
        ${settled.map((decision) => decision.reason)}::text[],
        ${settled.map((decision) => decision.decidedAt)}::timestamptz[],
        ${settled.map((decision) => decision.traceparent ?? null)}::text[]
      ) AS decision (order_id, status, reason, at, traceparent)
      WHERE id = decision.order_id AND orders.status = 'PENDING'
      RETURNING orders.*, decision.traceparent
    ) ${orderChangedFrom('decided', { previousStatus: "'PENDING'", traceparent: 'traceparent' })}`;
}
