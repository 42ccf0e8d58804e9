import type { Relay } from '@gudang/outbox';
import type { Service } from '@gudang/runtime';
import { pause, type Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import { countUndecided, republishOrders } from './republish-orders.ts';

/** Maximum number of orders published in one round. */
const BATCH_LIMIT = 500;
/** The pause between two rounds while orders are published again, in milliseconds. */
const ROUND_MS = 1_000;
/**
 * The longest pause if no order is overdue, in milliseconds. A lost event waits up to this long after
 * RECONCILE_AFTER.
 */
const IDLE_ROUND_MS = 5_000;

/**
 * Starts to republish orders that stay PENDING because their event was lost after it was sent, for
 * example with the broker's data. Runs only in the process of the leading relay, so that one replica does it.
 */
export function startReconciler(
  { log, metrics }: Pick<Service, 'log' | 'metrics'>,
  {
    database,
    relay,
    after,
  }: {
    database: Database;
    relay: Relay;
    /** How long an order stays PENDING before it is published again, in seconds. 0: never. */
    after: number;
  },
): Stoppable {
  const stopping = new AbortController();
  const reconciled = metrics.counter(
    'gudang_reconciled_total',
    'Orders published again because they stayed PENDING',
  );
  const idleRound = Math.min(IDLE_ROUND_MS, after * 250);
  let last: readonly string[] = [];

  const round = async (): Promise<void> => {
    const undecided = await countUndecided(database, last);
    const limit = nextBatchSize({ size: last.length, undecided });
    const published = await republishOrders(database, { after, limit });
    // Keep watching the last round while its orders are undecided and no other order is overdue.
    if (published.length > 0 || undecided === 0) last = published;
    if (published.length === 0) return;
    reconciled.inc(published.length);
    log.warn({ orders: published.slice(0, 10) }, `published ${published.length} orders again`);
    relay.wake();
  };

  const running = (async () => {
    if (after === 0) return;
    while (!stopping.signal.aborted) {
      await pause(last.length > 0 ? ROUND_MS : idleRound, stopping.signal);
      if (!relay.isLeading() || stopping.signal.aborted) continue;
      // If the database is unavailable, the next round finds the same orders.
      await round().catch((error: unknown) =>
        log.debug({ err: error }, 'reconciliation failed; retrying in the next round'),
      );
    }
  })();

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

/**
 * Returns how many overdue orders the next round publishes. The first round publishes one, as a probe:
 * behind a backlog, the newest order waits for all others, and one additional record per round does no
 * harm. If every order of a round was decided before the next round, there is no backlog, so orders that
 * are still PENDING have lost their event, and the number doubles.
 */
export function nextBatchSize(last: { readonly size: number; readonly undecided: number }): number {
  return last.undecided > 0 || last.size === 0 ? 1 : Math.min(last.size * 2, BATCH_LIMIT);
}
