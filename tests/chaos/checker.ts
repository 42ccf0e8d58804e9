import type { Breach, History, Invariant } from './history.ts';
import { liveStreams } from './invariants/live-streams.ts';
import { ordersSettled } from './invariants/orders-settled.ts';
import { recordsAccounted } from './invariants/records-accounted.ts';
import { statusIsDecision } from './invariants/status-is-decision.ts';
import { stockBalance } from './invariants/stock-balance.ts';

const INVARIANTS: readonly Invariant[] = [
  stockBalance,
  ordersSettled,
  statusIsDecision,
  recordsAccounted,
  liveStreams,
];

/**
 * Holds all that is known of a settled system against the guarantees. The sixth, that orders are
 * taken while Kafka or the other service is down, is for the faults themselves to see.
 */
export function check(history: History): Breach[] {
  return INVARIANTS.flatMap((invariant) => invariant(history));
}
