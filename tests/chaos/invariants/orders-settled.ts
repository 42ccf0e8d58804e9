import { type Breach, byId, groupBy, type History } from '../history.ts';

/**
 * Guarantee 2: each acknowledged order exists, has a final status, and takes stock at most once. A cancelled
 * order has returned what it took, once. The faults delete no stocks.
 */
export function ordersSettled(history: History): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 2, what });
  const orders = byId(history.orders, ({ id }) => id);

  for (const observed of history.observed.acknowledged) {
    const order = orders.get(observed.id);
    if (!order) {
      breach(`order ${observed.id} was acknowledged and does not exist`);
    } else if (order.productId !== observed.productId || order.quantity !== observed.quantity) {
      breach(`order ${observed.id} differs from the acknowledged one`);
    }
  }
  for (const order of history.orders) {
    if (order.status === 'PENDING') breach(`order ${order.id} is still PENDING`);
    if (order.status === 'CONFIRMED' && order.isCancelRequested) {
      breach(`the cancellation of order ${order.id} has no answer`);
    }
  }

  const byKey = groupBy(
    history.observed.acknowledged.filter(({ idempotencyKey }) => idempotencyKey !== null),
    ({ idempotencyKey }) => idempotencyKey,
  );
  for (const [key, answers] of byKey) {
    const ids = new Set(answers.map(({ id }) => id));
    if (ids.size > 1) breach(`the idempotency key ${key} created ${ids.size} orders`);
  }

  return [...breaches, ...ledgerBreaches(history), ...cancelBreaches(history)];
}

/** Checks the ledger entries of each order against its decision. */
function ledgerBreaches({ movements, decisions }: History): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 2, what });
  const entriesOf = (kind: string) =>
    groupBy(
      movements.filter((movement) => movement.kind === kind),
      ({ orderId }) => orderId ?? '',
    );
  const taken = entriesOf('ORDERED');
  const returned = entriesOf('RETURNED');
  const decided = byId(decisions, ({ orderId }) => orderId);
  for (const [orderId, entries] of taken) {
    if (entries.length > 1) breach(`order ${orderId} took stock ${entries.length} times`);
    const status = decided.get(orderId)?.status;
    if (status !== 'CONFIRMED' && status !== 'CANCELLED') {
      breach(`order ${orderId} took stock without being confirmed`);
    }
  }
  for (const [orderId, entries] of returned) {
    if (entries.length > 1) breach(`order ${orderId} returned stock ${entries.length} times`);
    if (decided.get(orderId)?.status !== 'CANCELLED') {
      breach(`order ${orderId} returned stock without being cancelled`);
    }
  }
  for (const { orderId, productId, quantity, status } of decisions) {
    const [entry] = taken.get(orderId) ?? [];
    const [back] = returned.get(orderId) ?? [];
    const took = entry?.stockId === productId && entry.delta === -quantity;
    if (status === 'CONFIRMED' && !took) breach(`order ${orderId} is confirmed but took no stock`);
    if (status !== 'CANCELLED' || (!entry && !back)) continue;
    const isReturned =
      took &&
      back?.stockId === productId &&
      back.delta === quantity &&
      back.version > entry.version;
    if (!isReturned) breach(`order ${orderId} is cancelled but has not returned what it took`);
  }
  return breaches;
}

/** An acknowledged cancellation was applied, was refused, or concerns a rejected order. */
function cancelBreaches({ orders, decisions, observed }: History): Breach[] {
  const stored = byId(orders, ({ id }) => id);
  const decided = byId(decisions, ({ orderId }) => orderId);
  return observed.cancelled.flatMap((id): Breach[] => {
    const status = stored.get(id)?.status;
    if (status !== 'CONFIRMED' || decided.get(id)?.isCancelRefused) return [];
    return [{ guarantee: 2, what: `the cancellation of order ${id} was lost` }];
  });
}
