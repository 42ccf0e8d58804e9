import { decodeOrderChanged, type OrderState } from '@gudang/events';
import { notFound } from '@gudang/service';
import type { Feed } from '@gudang/service/feed';
import { noteEventTrace } from '@gudang/service/tracing';
import type { Database } from './database.ts';
import { findOrders } from './orders/find-orders.ts';

/**
 * An order's state at once, then each change; ends after the decision.
 * @throws {ServiceError} NOT_FOUND
 */
export async function* watchOrder(
  context: { readonly database: Database; readonly feed: Feed },
  id: string,
): AsyncGenerator<OrderState, void> {
  const { database, feed } = context;
  // Watched before it is read, so that no change falls between the two.
  const watch = feed.watch([id.toLowerCase()]);
  try {
    let shown = await readOrder(database, id);
    yield shown;
    while (shown.status === 'PENDING') {
      const change = await watch.next();
      if (change === undefined) return;
      const state =
        change === 'missed' ? await readOrder(database, id) : decodeOrderChanged(change.value);
      if (state.status === shown.status) continue;
      shown = state;
      noteEventTrace(context, change === 'missed' ? undefined : change.traceparent);
      yield shown;
    }
  } finally {
    watch.close();
  }
}

async function readOrder(database: Database, id: string): Promise<OrderState> {
  const [order] = await findOrders(database, [id]);
  if (order === undefined) throw notFound('order', id);
  return order;
}
