import { ORDER_CANCELLED, ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import { eventually } from '@gudang/testing/eventually';
import type { Rig } from './rig/rig.ts';

const SETTLES_WITHIN_MS = 60_000;
const GROUPS = [
  { group: 'stock-subgraph', topic: ORDER_CREATED },
  { group: 'stock-subgraph-cancellations', topic: ORDER_CANCELLED },
  { group: 'order-subgraph', topic: ORDER_DECIDED },
];

/** Orders without a final status, and cancellations without an answer. */
const UNDECIDED = `orders WHERE status = 'PENDING'
  OR (status = 'CONFIRMED' AND cancel_requested_at IS NOT NULL)`;

/** Numbers of orders, events and records that have not been processed yet. */
export interface Unsettled {
  readonly pending: number;
  readonly waiting: number;
  /** Number of records whose offset has not been committed. */
  readonly lag: number;
}

export async function unsettled({ databases, admin, name }: Rig): Promise<Unsettled> {
  const countOf = async (side: 'order' | 'stock', from: string): Promise<number> =>
    (await databases[side](`SELECT count(*)::int AS count FROM ${from}`))[0]?.['count'];
  const lags = GROUPS.map(async ({ group, topic }) => {
    const [ends, [committed]] = await Promise.all([
      admin.fetchTopicOffsets(name(topic)),
      admin.fetchOffsets({ groupId: name(group), topics: [name(topic)] }),
    ]);
    return ends.reduce((sum, { partition, high }) => {
      const at = committed?.partitions.find((one) => one.partition === partition);
      // A committed offset is after the end if the broker has lost records.
      return sum + Math.max(0, Number(high) - Math.max(0, Number(at?.offset ?? 0)));
    }, 0);
  });
  const [pending, ordersOut, stocksOut, ...lag] = await Promise.all([
    countOf('order', UNDECIDED),
    countOf('order', 'outbox'),
    countOf('stock', 'outbox'),
    ...lags,
  ]);
  return { pending, waiting: ordersOut + stocksOut, lag: lag.reduce((a, b) => a + b, 0) };
}

/** Waits until all orders are decided and all events are sent and consumed. */
export async function settle(rig: Rig): Promise<void> {
  await eventually(
    () => unsettled(rig),
    ({ pending, waiting, lag }) => pending === 0 && waiting === 0 && lag === 0,
    {
      until: 'all orders are final and all events are consumed',
      within: SETTLES_WITHIN_MS,
      every: 50,
    },
  );
}
