import { type Breach, byId, fieldsOf, groupBy, type History } from '../history.ts';

/**
 * Guarantee 3: an order's status is the stock service's decision. It changes from PENDING to another status,
 * and once more from CONFIRMED to CANCELLED.
 */
export function statusIsDecision(history: History): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 3, what });
  const decisions = byId(history.decisions, ({ orderId }) => orderId);

  for (const order of history.orders) {
    if (order.status === 'PENDING') continue;
    const decision = decisions.get(order.id);
    if (!decision) breach(`order ${order.id} is ${order.status} without a decision`);
    else if (decision.status !== order.status || decision.reason !== order.reason) {
      breach(`order ${order.id} is ${order.status}, but the decision is ${decision.status}`);
    } else if (decision.productId !== order.productId || decision.quantity !== order.quantity) {
      breach(`order ${order.id} was decided with another product or quantity`);
    }
  }

  const announced = groupBy(
    (history.records['order_decided'] ?? []).map((record) => fieldsOf(record.value)),
    (fields) => String(fields?.['order_id']),
  );
  for (const [id, all] of announced) {
    const statuses = new Set(all.map((fields) => `${fields?.['status']} ${fields?.['reason']}`));
    statuses.delete(statuses.has('CANCELLED null') ? 'CONFIRMED null' : '');
    if (statuses.size > 1)
      breach(`several decisions were published for order ${id}: ${[...statuses].join(', ')}`);
    const stored = decisions.get(id);
    if (stored && !statuses.has(`${stored.status} ${stored.reason}`)) {
      breach(`the published decision of order ${id} differs from the stored one`);
    }
  }

  const shown = groupBy(
    (history.records['order_changed'] ?? []).map((record) => fieldsOf(record.value)),
    (fields) => String(fields?.['id']),
  );
  for (const order of history.orders) {
    const statuses = (shown.get(order.id) ?? []).map((fields) => fields?.['status']);
    const finals = new Set(statuses.filter((status) => status !== 'PENDING'));
    if (finals.has('CANCELLED')) finals.delete('CONFIRMED');
    if (finals.size > 1) breach(`order ${order.id} was published as ${[...finals].join(' and ')}`);
    if (statuses[0] !== 'PENDING' || !finals.has(order.status)) {
      breach(`order ${order.id} is ${order.status} but was published as ${statuses.join(', ')}`);
    }
  }
  return breaches;
}
