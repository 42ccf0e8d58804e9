import type { Breach, History, Invariant } from './history.ts';
import { changesTold } from './invariants/changes-told.ts';
import { liveStreams } from './invariants/live-streams.ts';
import { orderStreams } from './invariants/order-streams.ts';
import { ordersSettled } from './invariants/orders-settled.ts';
import { recordsAccounted } from './invariants/records-accounted.ts';
import { statusIsDecision } from './invariants/status-is-decision.ts';
import { stockBalance } from './invariants/stock-balance.ts';

const INVARIANTS: readonly Invariant[] = [
  stockBalance,
  ordersSettled,
  statusIsDecision,
  recordsAccounted,
  changesTold,
  liveStreams,
  orderStreams,
];

/**
 * Holds all that is known of a settled system against the guarantees. The sixth, that orders are
 * taken while Kafka or the other service is down, is for the faults themselves to see.
 */
export function check(history: History): Breach[] {
  return INVARIANTS.flatMap((invariant) => invariant(history));
}
