import type { OrderCreated } from '@gudang/events';
import type { LegacyRecord } from '../legacy/legacy-topic.ts';
import type { Problem } from './problem.ts';

/** An order as the topic contains it. */
export interface RecordedOrder extends OrderCreated {
  /** The time in the record's value. */
  readonly createdAt: Date;
  /** Whether the legacy stock service has consumed a record of this order. */
  readonly isConsumed: boolean;
}

/**
 * Finds the orders in the topic. Of several records of one order, the one that the legacy stock service
 * consumed first counts.
 */
export function planRecords(records: readonly LegacyRecord[]): {
  readonly orders: ReadonlyMap<string, RecordedOrder>;
  readonly problems: readonly Problem[];
} {
  const orders = new Map<string, RecordedOrder>();
  const problems: Problem[] = [];
  for (const record of records.toSorted(byConsumption)) {
    const { partition, offset, isConsumed, order } = record;
    const report = (kind: Problem['kind'], message: string): void => {
      problems.push({ kind, subject: `record ${partition}/${offset}`, message });
    };
    if (typeof order === 'string') {
      report('bad record', order);
      continue;
    }
    const first = orders.get(order.id);
    if (first === undefined) {
      orders.set(order.id, { ...order, isConsumed });
      continue;
    }
    const { productId, quantity } = order;
    if (first.productId !== productId || first.quantity !== quantity) {
      report(
        'record differs',
        `order ${order.id} has ${quantity} of ${productId} here, and ${first.quantity} of ${first.productId} before`,
      );
    } else if (isConsumed) {
      report('repeated record', `the legacy stock service subtracted order ${order.id} again`);
    }
  }
  return { orders, problems };
}

/** Consumed records first, then by time; the order of records with the same time is stable. */
function byConsumption(one: LegacyRecord, other: LegacyRecord): number {
  return (
    Number(other.isConsumed) - Number(one.isConsumed) ||
    one.timestamp - other.timestamp ||
    one.partition - other.partition ||
    one.offset - other.offset
  );
}
