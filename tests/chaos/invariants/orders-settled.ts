import { type Breach, byId, groupBy, type History } from '../history.ts';

/** Guarantee 2: each acknowledged order exists, has a final status, and takes stock at most once. */
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
  }

  const byKey = groupBy(
    history.observed.acknowledged.filter(({ idempotencyKey }) => idempotencyKey !== null),
    ({ idempotencyKey }) => idempotencyKey,
  );
  for (const [key, answers] of byKey) {
    const ids = new Set(answers.map(({ id }) => id));
    if (ids.size > 1) breach(`the idempotency key ${key} created ${ids.size} orders`);
  }

  const taken = groupBy(
    history.movements.filter(({ kind }) => kind === 'ORDERED'),
    ({ orderId }) => orderId,
  );
  const decisions = byId(history.decisions, ({ orderId }) => orderId);
  for (const [orderId, movements] of taken) {
    if (movements.length > 1) breach(`order ${orderId} took stock ${movements.length} times`);
    const decision = decisions.get(orderId ?? '');
    if (decision?.status !== 'CONFIRMED')
      breach(`order ${orderId} took stock without being confirmed`);
  }
  for (const decision of history.decisions) {
    if (decision.status !== 'CONFIRMED') continue;
    const [movement] = taken.get(decision.orderId) ?? [];
    const took = movement?.stockId === decision.productId && movement.delta === -decision.quantity;
    if (!took) breach(`order ${decision.orderId} is confirmed but took no stock`);
  }
  return breaches;
}
