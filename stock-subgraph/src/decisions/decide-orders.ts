import { encodeOrderDecided, ORDER_DECIDED, type OrderCreated } from '@gudang/events';
import { type DeadLetters, type InboxMessage, writeEvents } from '@gudang/outbox';
import type { Database, Transaction } from '../database.ts';
import { lockStocks } from '../stocks/lock-stocks.ts';
import { writeChanges } from '../stocks/write-changes.ts';
import { type Decision, decide } from './decide.ts';

/** Number of records for each outcome, for the metric. */
export type DecidedCounts = Readonly<
  Record<'confirmed' | 'rejected' | 'repeat' | 'dead_letter', number>
>;

/**
 * Decides a batch of orders in one transaction: locks the stocks, reads earlier decisions of the same
 * orders, decides the other orders, and writes stocks, ledger entries, decisions and events. Earlier
 * decisions are read only after the locks are taken, because another process that decided the same order
 * has then already committed its decision.
 */
export function decideOrders(
  database: Database,
  batch: readonly InboxMessage<OrderCreated>[],
  deadLetters: DeadLetters,
): Promise<DecidedCounts> {
  const orders = batch.map(({ message, record }) => ({ ...message, record }));
  const traces = new Map(batch.map(({ message, traceparent }) => [message.id, traceparent]));
  return database.transaction(async (transaction) => {
    const { stocks, now } = await lockStocks(
      transaction,
      orders.map((order) => order.productId),
    );
    const earlier = await findDecisions(transaction, orders);
    const outcome = decide({ orders, stocks, earlier, now });
    await writeChanges(transaction, outcome.changes, traces);
    await writeDecisions(transaction, outcome.decided);
    await writeEvents(
      transaction,
      outcome.announced.map((decision) => ({
        topic: ORDER_DECIDED,
        key: decision.orderId,
        value: encodeOrderDecided(decision),
        traceparent: traces.get(decision.orderId),
      })),
    );
    const found = outcome.contradictions.map(({ order: { record }, reason }) => ({
      record,
      reason,
    }));
    const deadLetterCount = await deadLetters.write(transaction, found);
    const confirmed = outcome.decided.filter(({ status }) => status === 'CONFIRMED').length;
    return {
      confirmed,
      rejected: outcome.decided.length - confirmed,
      repeat: outcome.announced.length - outcome.decided.length,
      dead_letter: deadLetterCount,
    };
  });
}

async function findDecisions(
  transaction: Transaction,
  orders: readonly OrderCreated[],
): Promise<Map<string, Decision>> {
  if (orders.length === 0) return new Map();
  const rows = await transaction.$queryRaw<Omit<Decision, 'cancelledAt' | 'cancelRefusal'>[]>`
    SELECT order_id AS "orderId", product_id AS "productId", quantity, status::text AS status,
           reason::text AS reason, quantity_after AS "quantityAfter", decided_at AS "decidedAt"
    FROM decisions WHERE order_id = ANY(${orders.map((order) => order.id)}::uuid[])`;
  return new Map(
    rows.map((row) => [row.orderId, { ...row, cancelledAt: null, cancelRefusal: null }]),
  );
}

/**
 * Writes decisions in ascending order of their ids, so that transactions that decide the same orders, which
 * name other products, cannot deadlock.
 */
async function writeDecisions(
  transaction: Transaction,
  decided: readonly Decision[],
): Promise<void> {
  if (decided.length === 0) return;
  const decisions = decided.toSorted((one, other) => (one.orderId < other.orderId ? -1 : 1));
  await transaction.$executeRaw`
    INSERT INTO decisions
      (order_id, product_id, quantity, status, reason, quantity_after, decided_at)
    SELECT order_id, product_id, quantity, status::decision_status, reason::rejection_reason,
           quantity_after, decided_at
    FROM unnest(
      ${decisions.map((decision) => decision.orderId)}::uuid[],
      ${decisions.map((decision) => decision.productId)}::text[],
      ${decisions.map((decision) => decision.quantity)}::int[],
      ${decisions.map((decision) => decision.status)}::text[],
      ${decisions.map((decision) => decision.reason)}::text[],
      ${decisions.map((decision) => decision.quantityAfter)}::int[],
      ${decisions.map((decision) => decision.decidedAt)}::timestamptz[]
    ) AS decision
      (order_id, product_id, quantity, status, reason, quantity_after, decided_at)`;
}
