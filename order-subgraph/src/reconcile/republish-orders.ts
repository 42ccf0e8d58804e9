import { OLDEST_ROW } from '@gudang/outbox';
import { retryConflicts } from '@gudang/postgres';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { orderCreatedFrom } from '../orders/order-events.ts';

/** Maximum interval between two publications of the same order, in seconds. */
const MAX_INTERVAL_S = 3_600;

/**
 * Publishes overdue orders again through the outbox, newest first. If there is a backlog, the newest
 * order is decided last, so the decision of this order proves that there is no backlog. The interval
 * between two publications of the same order doubles each time. An order is skipped if the outbox
 * contains an older event, because the event of this order may then still be in the outbox.
 * @param after time after which a PENDING order is overdue, in seconds
 * @returns the ids of the published orders
 */
export async function republishOrders(
  database: Database,
  { after, limit }: { after: number; limit: number },
): Promise<string[]> {
  const published = await retryConflicts(
    () => database.$queryRaw<{ id: string }[]>`
    WITH due AS (
      SELECT orders.* FROM orders
      LEFT JOIN reconciliations ON order_id = id
      WHERE status = 'PENDING'
        AND created_at < now() - make_interval(secs => ${after})
        AND (next_at IS NULL OR next_at <= now())
        AND created_at < coalesce(
          (SELECT waiting.created_at FROM (${Prisma.raw(OLDEST_ROW)}) AS waiting), 'infinity')
      ORDER BY created_at DESC, id DESC LIMIT ${limit} FOR UPDATE OF orders SKIP LOCKED
    ), noted AS (
      INSERT INTO reconciliations (order_id, next_at)
      SELECT id, now() + make_interval(secs => ${after}) FROM due
      ON CONFLICT (order_id) DO UPDATE SET
        attempts = reconciliations.attempts + 1,
        next_at = now() + make_interval(
          secs => least(${MAX_INTERVAL_S}, ${after} * power(2, least(reconciliations.attempts, 20))))
    ), event AS (${orderCreatedFrom('due')})
    SELECT id FROM due`,
  );
  return published.map(({ id }) => id);
}

/** Maximum number of rows that one call of `forgetDecided` deletes. */
const FORGET_LIMIT = 1_000;

/**
 * Deletes the publication state of decided orders. The orders of all leaders are considered, because
 * the leader that published an order may have ended before the order was decided.
 */
export async function forgetDecided(database: Database): Promise<void> {
  await retryConflicts(
    () => database.$executeRaw`
    DELETE FROM reconciliations WHERE order_id IN (
      SELECT order_id FROM reconciliations JOIN orders ON id = order_id
      WHERE status <> 'PENDING' LIMIT ${FORGET_LIMIT})`,
  );
}

/** Counts the orders that are still PENDING. */
export async function countUndecided(database: Database, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return database.order.count({ where: { id: { in: [...ids] }, status: 'PENDING' } });
}
