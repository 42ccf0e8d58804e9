import type { Databases } from '@gudang/testing/system/databases';
import type { Records } from '@gudang/testing/topic-archive';
import type { History, Observations } from './history.ts';

const WAITING = 'SELECT count(*)::int AS count FROM outbox';
const REFUSED = 'SELECT count(*)::int AS count FROM outbox_rejected';

/** Reads both databases and combines them with the Kafka records and the clients' observations. */
export async function readHistory(
  { order, stock }: Databases,
  records: Records,
  observed: Observations,
): Promise<History> {
  const [orders, decisions, stocks, movements, ...counts] = await Promise.all([
    order(`SELECT id, product_id AS "productId", quantity, status::text AS status,
                  rejection_reason::text AS reason,
                  cancel_requested_at IS NOT NULL AS "isCancelRequested" FROM orders`),
    stock(`SELECT order_id AS "orderId", product_id AS "productId", quantity,
                  status::text AS status, reason::text AS reason,
                  cancel_refused_at IS NOT NULL AS "isCancelRefused" FROM decisions`),
    stock('SELECT id, quantity, version, deleted_at IS NOT NULL AS deleted FROM stocks'),
    stock(`SELECT stock_id AS "stockId", version, kind::text AS kind, delta,
                  quantity_after AS "quantityAfter", reason, order_id AS "orderId" FROM movements`),
    ...[WAITING, REFUSED].flatMap((count) => [order(count), stock(count)]),
  ]);
  const [waiting = 0, alsoWaiting = 0, refused = 0, alsoRefused = 0] = counts.map(
    (rows) => rows[0]?.['count'] as number,
  );
  return {
    orders: orders as History['orders'][number][],
    decisions: decisions as History['decisions'][number][],
    stocks: stocks as History['stocks'][number][],
    movements: movements as History['movements'][number][],
    unsent: waiting + alsoWaiting,
    setAside: refused + alsoRefused,
    records,
    observed,
  };
}
