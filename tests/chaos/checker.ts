import type { Breach, History, Invariant } from './history.ts';
import { changesPublished } from './invariants/changes-published.ts';
import { liveStreams, orderStreams } from './invariants/live-streams.ts';
import { ordersSettled } from './invariants/orders-settled.ts';
import { recordsAccounted } from './invariants/records-accounted.ts';
import { statusIsDecision } from './invariants/status-is-decision.ts';
import { stockBalance } from './invariants/stock-balance.ts';

const INVARIANTS: readonly Invariant[] = [
  stockBalance,
  ordersSettled,
  statusIsDecision,
  recordsAccounted,
  changesPublished,
  liveStreams,
  orderStreams,
];

/**
 * Checks the history of a settled system against guarantees 1 to 5. Guarantee 6 (orders are accepted
 * while Kafka or the other service is unavailable) is checked by the faults while they run.
 */
export function check(history: History): Breach[] {
  return INVARIANTS.flatMap((invariant) => invariant(history));
}
