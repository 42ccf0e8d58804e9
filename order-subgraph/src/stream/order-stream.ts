import { decodeOrderChanged, type OrderState } from '@gudang/events';
import { notFound } from '@gudang/runtime';
import { onSubscriptionEnd, setEventTrace } from '@gudang/subgraph';
import type { Context } from '../context.ts';
import type { Database } from '../database.ts';
import { findOrders } from '../orders/find-orders.ts';
import type { OrderVisibility } from '../orders/order-visibility.ts';

/**
 * Yields an order's current state, then its state after each change. Ends when the order has a final status
 * and no request to cancel it waits for an answer.
 * @throws {ServiceError} NOT_FOUND if the order does not exist or is not visible
 */
export async function* watchOrder(
  context: Pick<Context, 'database' | 'changeFeed' | 'visibility'>,
  id: string,
): AsyncGenerator<OrderState, void> {
  const { database, changeFeed, visibility } = context;
  // Watch before reading, so that no change between the two steps is missed.
  const watch = changeFeed.watch([id.toLowerCase()]);
  onSubscriptionEnd(context, () => watch.close());
  try {
    let sent = await readOrder(database, id, visibility);
    yield sent;
    while (mayChange(sent)) {
      const change = await watch.next();
      if (change === undefined) return;
      const state =
        change === 'missed'
          ? await readOrder(database, id, visibility)
          : decodeOrderChanged(change.value).order;
      const isSent =
        change === 'missed' ? state.version === sent.version : state.version <= sent.version;
      if (isSent) continue;
      sent = state;
      setEventTrace(context, change === 'missed' ? undefined : change.traceparent);
      yield sent;
    }
  } finally {
    watch.close();
  }
}

async function readOrder(
  database: Database,
  id: string,
  visibility: OrderVisibility,
): Promise<OrderState> {
  const [order] = await findOrders(database, [id], visibility);
  if (order === undefined) throw notFound('order', id);
  return order;
}

/** Whether the stock service still has to decide the order or its cancellation. */
function mayChange({ status, cancelRequestedAt }: OrderState): boolean {
  return status === 'PENDING' || (status === 'CONFIRMED' && cancelRequestedAt !== null);
}
