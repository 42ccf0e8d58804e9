import type { Relay } from '@gudang/outbox';
import type { Service } from '@gudang/runtime';
import { pause, type Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import { countUndecided, forgetDecided, republishOrders } from './republish-orders.ts';

/** Maximum number of orders published in one round. */
const BATCH_LIMIT = 500;
/** Pause between two rounds while orders are being published again, in milliseconds. */
const ROUND_MS = 1_000;
/**
 * Maximum pause between two rounds while no order is overdue, in milliseconds. An order whose event was
 * lost is therefore at most RECONCILE_AFTER plus this time old when it is published again.
 */
const IDLE_ROUND_MS = 5_000;

/**
 * Starts a loop that republishes orders that stay PENDING because their events were lost after they were
 * sent, for example because the broker lost its data. Only the replica whose relay is the leader
 * republishes orders.
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
    /** Time after which an order that is still PENDING is published again, in seconds. 0 disables this. */
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
    await forgetDecided(database);
    const undecided = await countUndecided(database, last);
    const limit = nextBatchSize({ size: last.length, undecided });
    const published = await republishOrders(database, { after, limit });
    // Keep the orders of the last round while some of them are PENDING and no other order is overdue.
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
 * Returns the maximum number of orders that the next round publishes. The first round publishes one
 * order, the newest, as a probe. If there is a backlog, this order is decided after all others, so the
 * rounds continue to publish only one order. If every order of a round was decided before the next round,
 * there is no backlog, so the events of the other PENDING orders were lost. The number then doubles.
 */
export function nextBatchSize(last: { readonly size: number; readonly undecided: number }): number {
  return last.undecided > 0 || last.size === 0 ? 1 : Math.min(last.size * 2, BATCH_LIMIT);
}
