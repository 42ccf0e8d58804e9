import { decodeOrderChanged, type OrderState } from '@gudang/events';
import { notFound } from '@gudang/service';
import type { Feed } from '@gudang/service/feed';
import type { Database } from './database.ts';
import { findOrders } from './orders/find-orders.ts';

/**
 * An order's state at once, then each change; ends after the decision.
 * @throws {ServiceError} NOT_FOUND
 */
export async function* watchOrder(
  { database, feed }: { database: Database; feed: Feed },
  id: string,
): AsyncGenerator<OrderState, void> {
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
