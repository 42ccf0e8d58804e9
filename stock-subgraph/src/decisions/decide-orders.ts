import { encodeOrderDecided, ORDER_DECIDED } from '@gudang/events';
import { type DeadLetters, type InboxMessage, writeEvents } from '@gudang/outbox';
import { sqlState, UNIQUE_VIOLATION } from '@gudang/postgres';
import type { Database, Transaction } from '../database.ts';
import { lockStocks } from '../stocks/lock-stocks.ts';
import { writeChanges } from '../stocks/write-changes.ts';
import { type Answer, type Decision, decide, type OrderRequest } from './decide.ts';
import { findAddedVersions, findEarlierDecisions } from './earlier-decisions.ts';

/** Number of records for each outcome, for the metric. */
export type DecidedCounts = Readonly<Record<Answer | 'dead_letter', number>>;

/**
 * Answers a batch of orders or of requests to cancel in one transaction: locks the stocks, reads earlier
 * decisions of the same orders, decides, and writes stocks, ledger entries, decisions and events. Earlier
 * decisions are read only after the locks are taken, because another process that decided the same order
 * has then already committed its decision.
 */
export async function decideOrders(
  database: Database,
  batch: readonly InboxMessage<OrderRequest>[],
  deadLetters: DeadLetters,
): Promise<DecidedCounts> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await decideOnce(database, batch, deadLetters);
    } catch (error) {
      // The other consumer has decided an order that names an unknown or another product, so that no
      // lock made this transaction wait for it. Its decision can be read now. Each attempt therefore
      // reads at least one more decision than the attempt before.
      if (sqlState(error) !== UNIQUE_VIOLATION || attempt === batch.length) throw error;
    }
  }
}

function decideOnce(
  database: Database,
  batch: readonly InboxMessage<OrderRequest>[],
  deadLetters: DeadLetters,
): Promise<DecidedCounts> {
  const requests = batch.map(({ message, record }) => ({ ...message, record }));
  const traces = new Map(batch.map(({ message, traceparent }) => [message.id, traceparent]));
  return database.transaction(async (transaction) => {
    const { stocks, now } = await lockStocks(
      transaction,
      requests.map(({ productId }) => productId),
    );
    const earlier = await findEarlierDecisions(transaction, requests);
    const addedVersions = await findAddedVersions(transaction, requests);
    const outcome = decide(requests, { stocks, addedVersions, earlier, now });
    await writeChanges(transaction, outcome.changes, traces);
    await insertDecisions(transaction, outcome.decided, now);
    await updateDecisions(transaction, outcome.updated);
    await writeEvents(
      transaction,
      outcome.announced.map(({ decision }) => ({
        topic: ORDER_DECIDED,
        key: decision.orderId,
        value: encodeOrderDecided(decision),
        traceparent: traces.get(decision.orderId),
      })),
    );
    const found = outcome.contradictions.map(({ request: { record }, reason }) => ({
      record,
      reason,
    }));
    const counts = { confirmed: 0, rejected: 0, cancelled: 0, refused: 0, repeat: 0 };
    for (const { answer } of outcome.announced) counts[answer] += 1;
    return { ...counts, dead_letter: await deadLetters.write(transaction, found) };
  });
}

/**
 * Inserts decisions in ascending order of their ids, so that transactions that decide the same orders, which
 * name other products, cannot deadlock.
 * @param now the time of all these decisions, passed once because the driver converts each date of an array
 */
async function insertDecisions(
  transaction: Transaction,
  decided: readonly Decision[],
  now: Date,
): Promise<void> {
  if (decided.length === 0) return;
  const decisions = decided.toSorted((one, other) => (one.orderId < other.orderId ? -1 : 1));
  await transaction.$executeRaw`
    INSERT INTO decisions
      (order_id, product_id, quantity, status, reason, quantity_after, decided_at, cancelled_at,
       stock_version)
    SELECT order_id, product_id, quantity, status::decision_status, reason::rejection_reason,
           quantity_after, ${now}::timestamptz,
           CASE WHEN status = 'CANCELLED' THEN ${now}::timestamptz END, stock_version
    FROM unnest(
      ${decisions.map((decision) => decision.orderId)}::uuid[],
      ${decisions.map((decision) => decision.productId)}::text[],
      ${decisions.map((decision) => decision.quantity)}::int[],
      ${decisions.map((decision) => decision.status)}::text[],
      ${decisions.map((decision) => decision.reason)}::text[],
      ${decisions.map((decision) => decision.quantityAfter)}::int[],
      ${decisions.map((decision) => decision.stockVersion)}::int[]
    ) AS decision
      (order_id, product_id, quantity, status, reason, quantity_after, stock_version)`;
}

/**
 * Updates confirmed decisions that were cancelled, or whose cancellation was refused.
 * @throws if a decision is not CONFIRMED any more, which the lock on its stock prevents
 */
async function updateDecisions(
  transaction: Transaction,
  updated: readonly Decision[],
): Promise<void> {
  if (updated.length === 0) return;
  const count = await transaction.$executeRaw`
    UPDATE decisions SET
      status = change.status::decision_status,
      quantity_after = change.quantity_after,
      cancelled_at = change.cancelled_at,
      cancel_refused_at = change.cancel_refused_at,
      cancel_requested_at = change.cancel_requested_at
    FROM unnest(
      ${updated.map((decision) => decision.orderId)}::uuid[],
      ${updated.map((decision) => decision.status)}::text[],
      ${updated.map((decision) => decision.quantityAfter)}::int[],
      ${updated.map((decision) => decision.cancelledAt)}::timestamptz[],
      ${updated.map(({ cancelRefusal }) => cancelRefusal?.at ?? null)}::timestamptz[],
      ${updated.map(({ cancelRefusal }) => cancelRefusal?.requestedAt ?? null)}::timestamptz[]
    ) AS change
      (order_id, status, quantity_after, cancelled_at, cancel_refused_at, cancel_requested_at)
    WHERE decisions.order_id = change.order_id AND decisions.status = 'CONFIRMED'`;
  if (count !== updated.length) {
    throw new Error(
      `${updated.length - count} decisions were changed while their stocks were locked`,
    );
  }
}
