import { decodeOrderChanged, type OrderState } from '@gudang/events';
import { notFound } from '@gudang/runtime';
import { setEventTrace } from '@gudang/subgraph';
import type { Context } from '../context.ts';
import type { Database } from '../database.ts';
import { findOrders } from '../orders/find-orders.ts';
import type { OrderVisibility } from '../orders/order-visibility.ts';

/**
 * An order's state at once, then each change; ends after the decision.
 * @throws {ServiceError} NOT_FOUND, also for an order that is not to be seen
 */
export async function* watchOrder(
  context: Pick<Context, 'database' | 'feed' | 'seen'>,
  id: string,
): AsyncGenerator<OrderState, void> {
  const { database, feed, seen } = context;
  // Watched before it is read, so that no change falls between the two.
  const watch = feed.watch([id.toLowerCase()]);
  try {
    let shown = await readOrder(database, id, seen);
    yield shown;
    while (shown.status === 'PENDING') {
      const change = await watch.next();
      if (change === undefined) return;
      const state =
        change === 'missed'
          ? await readOrder(database, id, seen)
          : decodeOrderChanged(change.value);
      if (state.status === shown.status) continue;
      shown = state;
      setEventTrace(context, change === 'missed' ? undefined : change.traceparent);
      yield shown;
    }
  } finally {
    watch.close();
  }
}

async function readOrder(
  database: Database,
  id: string,
  seen: OrderVisibility,
): Promise<OrderState> {
  const [order] = await findOrders(database, [id], seen);
  if (order === undefined) throw notFound('order', id);
  return order;
}
