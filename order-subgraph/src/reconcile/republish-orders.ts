import { OLDEST_ROW } from '@gudang/outbox';
import { retryConflicts } from '@gudang/postgres';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { orderCancelledFrom, orderCreatedFrom } from '../orders/order-events.ts';

/** Maximum interval between two publications of the same order, in seconds. */
const MAX_INTERVAL_S = 3_600;

/** A question to the stock service that is published again while it has no answer. */
export interface Question {
  /** Name of the question, for log lines. */
  readonly name: string;
  /** SQL condition of the orders without an answer. */
  readonly isUndecided: Prisma.Sql;
  /** Column with the time of the question. */
  readonly askedAt: Prisma.Sql;
  /** Returns the INSERT of the events that ask the question. */
  readonly eventsFrom: (relation: string) => Prisma.Sql;
}

/** The condition of the partial index, which contains few orders. */
const CANCELLATION_UNDECIDED = Prisma.sql`
  cancel_requested_at IS NOT NULL AND status IN ('PENDING', 'CONFIRMED')`;

/** Orders that wait for their first decision. An order that also waits for its cancellation is not one. */
export const PENDING_ORDERS: Question = {
  name: 'orders',
  isUndecided: Prisma.sql`status = 'PENDING' AND cancel_requested_at IS NULL`,
  askedAt: Prisma.sql`created_at`,
  eventsFrom: orderCreatedFrom,
};

/** Orders that wait for their cancellation. */
export const CANCELLATIONS: Question = {
  name: 'cancellations',
  isUndecided: CANCELLATION_UNDECIDED,
  askedAt: Prisma.sql`cancel_requested_at`,
  eventsFrom: orderCancelledFrom,
};

/**
 * Publishes overdue orders again through the outbox, newest first. If there is a backlog, the newest
 * order is decided last, so the decision of this order proves that there is no backlog. The interval
 * between two publications of the same order doubles each time. An order is skipped if the outbox
 * contains an older event, because the event of this order may then still be in the outbox.
 * @param after time after which an undecided order is overdue, in seconds
 * @returns the ids of the published orders
 */
export async function republishOrders(
  database: Database,
  { isUndecided, askedAt, eventsFrom }: Question,
  { after, limit }: { after: number; limit: number },
): Promise<string[]> {
  const published = await retryConflicts(
    () => database.$queryRaw<{ id: string }[]>`
    WITH due AS (
      SELECT orders.* FROM orders
      LEFT JOIN reconciliations ON order_id = id
      WHERE ${isUndecided}
        AND ${askedAt} < now() - make_interval(secs => ${after})
        AND (next_at IS NULL OR next_at <= now())
        AND ${askedAt} < coalesce(
          (SELECT waiting.created_at FROM (${Prisma.raw(OLDEST_ROW)}) AS waiting), 'infinity')
      ORDER BY ${askedAt} DESC, id DESC LIMIT ${limit} FOR UPDATE OF orders SKIP LOCKED
    ), noted AS (
      INSERT INTO reconciliations (order_id, next_at)
      SELECT id, now() + make_interval(secs => ${after}) FROM due
      ON CONFLICT (order_id) DO UPDATE SET
        attempts = reconciliations.attempts + 1,
        next_at = now() + make_interval(
          secs => least(${MAX_INTERVAL_S}, ${after} * power(2, least(reconciliations.attempts, 20))))
    ), event AS (${eventsFrom('due')})
    SELECT id FROM due`,
  );
  return published.map(({ id }) => id);
}

/** Maximum number of rows that one call of `forgetDecided` deletes. */
const FORGET_LIMIT = 1_000;

/**
 * Deletes the publication state of decided orders. The orders of all leaders are considered, because
 * the leader that published an order may have ended before the order was decided.
 * @returns whether more rows may remain
 */
export async function forgetDecided(database: Database): Promise<boolean> {
  const deleted = await retryConflicts(
    () => database.$executeRaw`
    DELETE FROM reconciliations WHERE order_id IN (
      SELECT order_id FROM reconciliations JOIN orders ON id = order_id
      WHERE status <> 'PENDING' AND NOT (${CANCELLATION_UNDECIDED}) LIMIT ${FORGET_LIMIT})`,
  );
  return deleted === FORGET_LIMIT;
}

/** Counts the orders to which the question still has no answer. */
export async function countUndecided(
  database: Database,
  { isUndecided }: Question,
  ids: readonly string[],
): Promise<number> {
  if (ids.length === 0) return 0;
  const [row] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM orders WHERE id = ANY(${ids}::uuid[]) AND ${isUndecided}`;
  return row?.count ?? 0;
}
