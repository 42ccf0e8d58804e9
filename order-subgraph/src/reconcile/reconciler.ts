import type { Relay } from '@gudang/outbox';
import type { Service } from '@gudang/runtime';
import { pause, type Stoppable } from '@gudang/runtime';
import type { Database } from '../database.ts';
import {
  CANCELLATIONS,
  countUndecided,
  forgetDecided,
  PENDING_ORDERS,
  type Question,
  republishOrders,
} from './republish-orders.ts';

/** Maximum number of orders published in one round. */
const BATCH_LIMIT = 500;
/** Pause between two rounds while orders are being published again, in milliseconds. */
const ROUND_MS = 1_000;
/**
 * Maximum pause between two rounds while no order is overdue, in milliseconds. An order whose event was
 * lost is therefore at most RECONCILE_AFTER plus this time old when it is published again.
 */
const IDLE_ROUND_MS = 5_000;
/** Pause between two deletions of the publication state of decided orders, in milliseconds. */
const FORGET_MS = 60_000;
/** Time after which a cancellation is published again if RECONCILE_AFTER is 0, in seconds. */
const CANCELLATION_AFTER_S = 60;

/**
 * Starts a loop that republishes orders and cancellations that stay undecided because their events were
 * lost after they were sent, for example because the broker lost its data. Only the replica whose relay is
 * the leader republishes them.
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
    /**
     * Time after which an undecided order or cancellation is published again, in seconds. 0 disables this
     * for orders. Cancellations are then published again after 60 s, because no earlier stock service reads
     * them.
     */
    after: number;
  },
): Stoppable {
  const stopping = new AbortController();
  const reconciled = metrics.counter(
    'gudang_reconciled_total',
    'Orders and cancellations published again because they stayed undecided',
  );
  const cancellationAfter = after === 0 ? CANCELLATION_AFTER_S : after;
  const idleRound = Math.min(IDLE_ROUND_MS, cancellationAfter * 250);
  const publishers = [
    ...(after === 0 ? [] : [createPublisher(database, PENDING_ORDERS, after)]),
    createPublisher(database, CANCELLATIONS, cancellationAfter),
  ];

  let forgetAt = 0;
  const round = async (): Promise<void> => {
    if (performance.now() >= forgetAt) {
      const isLeft = await forgetDecided(database);
      forgetAt = performance.now() + (isLeft ? 0 : FORGET_MS);
    }
    for (const publisher of publishers) {
      const published = await publisher.publish();
      if (published.length === 0) continue;
      reconciled.inc(published.length);
      log.warn(
        { orders: published.slice(0, 10) },
        `published ${published.length} ${publisher.name} again`,
      );
      relay.wake();
    }
  };

  const running = (async () => {
    while (!stopping.signal.aborted) {
      const isBusy = publishers.some((publisher) => publisher.isBusy());
      await pause(isBusy ? ROUND_MS : idleRound, stopping.signal);
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
 * Creates the publisher of one question. Orders and cancellations have publishers of their own, because
 * their topics have backlogs of their own.
 */
function createPublisher(database: Database, question: Question, after: number) {
  let last: readonly string[] = [];
  return {
    name: question.name,
    /** Whether orders of the last round may still be undecided. */
    isBusy: () => last.length > 0,
    /** @returns the ids of the published orders */
    publish: async (): Promise<readonly string[]> => {
      const undecided = await countUndecided(database, question, last);
      const limit = nextBatchSize({ size: last.length, undecided });
      const published = await republishOrders(database, question, { after, limit });
      // Keep the orders of the last round while some are undecided and no other order is overdue.
      if (published.length > 0 || undecided === 0) last = published;
      return published;
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
