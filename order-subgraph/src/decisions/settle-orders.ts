import type { OrderDecided } from '@gudang/events';
import type { DeadLetters, InboxMessage } from '@gudang/outbox';
import type { Database, Transaction } from '../database.ts';
import { orderChangedFrom } from '../orders/order-events.ts';
import { type DecidedOrder, settle, type Transition } from './settle.ts';

/** Number of records for each outcome, for the metric. */
export type SettledCounts = Readonly<
  Record<'settled' | 'repeat' | 'foreign' | 'dead_letter', number>
>;

/**
 * Applies a batch of decisions to order_db in one transaction: locks the orders, settles them, and writes
 * their states and events. The orders are locked in ascending order of their ids, so that two batches
 * cannot deadlock.
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
    const { rounds, settled, repeats, foreign, contradictions } = settle(orders, decisions);
    // Almost every batch has one round. An order that was confirmed and cancelled within a batch has two.
    for (const transitions of rounds) await writeTransitions(transaction, transitions);
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

/**
 * Locks the orders of decisions. The LIMIT changes no result, here and in `writeTransitions`: it makes
 * PostgreSQL's generic plan expect one order, so that it reads orders by primary key even without statistics
 * of the table. Without the LIMIT, a new system read the whole table for each batch until the first ANALYZE:
 * 100 µs of CPU time instead of 40 for each of the first 20,000 orders.
 */
async function lockOrders(
  transaction: Transaction,
  decisions: readonly OrderDecided[],
): Promise<Map<string, DecidedOrder>> {
  if (decisions.length === 0) return new Map();
  const ids = [...new Set(decisions.map((decision) => decision.orderId))];
  const rows = await transaction.$queryRaw<(DecidedOrder & { id: string })[]>`
    SELECT id, product_id AS "productId", status::text AS status,
           rejection_reason::text AS "rejectionReason", cancel_requested_at AS "cancelRequestedAt"
    FROM (SELECT id FROM unnest(${ids}::uuid[]) AS id LIMIT ${ids.length}) AS wanted
    JOIN orders USING (id) ORDER BY id FOR UPDATE OF orders`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** Writes one change and one event for each of several orders. */
async function writeTransitions(
  transaction: Transaction,
  transitions: readonly Transition<OrderDecided & Pick<InboxMessage<unknown>, 'traceparent'>>[],
): Promise<void> {
  const decisions = transitions.map(({ decision }) => decision);
  await transaction.$executeRaw`
    WITH decided AS (
      UPDATE orders SET
        status = decision.status::order_status,
        rejection_reason = decision.reason::rejection_reason,
        decided_at = coalesce(orders.decided_at, decision.at),
        cancelled_at = decision.cancelled_at,
        cancel_requested_at = CASE WHEN NOT decision.refuses THEN orders.cancel_requested_at END,
        cancel_reason = CASE WHEN NOT decision.refuses THEN orders.cancel_reason END,
        version = orders.version + 1,
        changed_at = now()
      FROM (SELECT * FROM unnest(
        ${decisions.map(({ orderId }) => orderId)}::uuid[],
        ${transitions.map(({ previousStatus }) => previousStatus)}::text[],
        ${decisions.map(({ status }) => status)}::text[],
        ${decisions.map(({ reason }) => reason)}::text[],
        ${decisions.map(({ decidedAt }) => decidedAt)}::timestamptz[],
        ${decisions.map(({ cancelledAt }) => cancelledAt)}::timestamptz[],
        ${transitions.map(({ refusesCancel }) => refusesCancel)}::boolean[],
        ${decisions.map(({ traceparent }) => traceparent ?? null)}::text[]
      ) LIMIT ${decisions.length}) AS decision
        (order_id, previous, status, reason, at, cancelled_at, refuses, traceparent)
      WHERE id = decision.order_id AND orders.status::text = decision.previous
      RETURNING orders.*, decision.previous, decision.traceparent
    ) ${orderChangedFrom('decided', { previousStatus: 'previous', traceparent: 'traceparent' })}`;
}
