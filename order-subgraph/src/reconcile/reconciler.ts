import type { Relay } from '@gudang/outbox';
import type { Service } from '@gudang/runtime';
import { pause, type Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import { countUndecided, republishOrders } from './republish-orders.ts';

/** The most orders published again in one round. */
const BATCH_LIMIT = 500;
/** The wait between two rounds, in milliseconds, while orders are being published again. */
const ROUND_MS = 1_000;
/** The longest wait when there was nothing to do: a lost event costs this beside RECONCILE_AFTER. */
const IDLE_ROUND_MS = 5_000;

/**
 * Publishes orders again that stay PENDING: their event was lost behind the outbox, with the
 * broker's data say. Only beside the relay that leads, so that one replica does it.
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
    /** How long an order is PENDING before it is published again, in seconds; 0: never. */
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
    // While a probe waits, it goes on being the one that is watched.
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
      // The database may be away: the next round finds what this one did not.
      await round().catch((error: unknown) => log.debug({ err: error }, 'no reconciliation'));
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
 * How many overdue orders the next round publishes again. One is a probe: behind a mere backlog
 * the newest waits for all the rest, and one more record a round harms nobody. Only when all of a
 * round were decided before the next does the number double: then the road is clear, and what is
 * still PENDING has lost its event.
 */
export function nextBatchSize(last: { readonly size: number; readonly undecided: number }): number {
  return last.undecided > 0 || last.size === 0 ? 1 : Math.min(last.size * 2, BATCH_LIMIT);
}
