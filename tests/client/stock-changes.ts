import { randomUUID } from 'node:crypto';
import type { Graph } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import type { Random } from '@gudang/testing/random';

/** Changes of stocks at a steady rate. */
export interface StockChanges {
  /** Number of changes that were made. */
  readonly made: () => number;
  /** Number of batches that were not answered within 60 s. They may have been made. */
  readonly unanswered: () => number;
  /** Resolves when all changes that were begun are made or given up. */
  readonly stop: () => Promise<void>;
}

const BATCH_EVERY_MS = 100;
/** Number of batches that may wait, for example while the gateway restarts. */
const MAX_BATCHES = 200;
const RETRY_MS = 100;
const GIVE_UP_MS = 60_000;
const ADJUST = `mutation ($inputs: [AdjustStocksInput!]!, $key: String!) {
  adjustStocks(inputs: $inputs, idempotencyKey: $key) { error { code } } }`;

/** Changes random stocks in batches of a tenth of a second, each of which is repeated until it is answered. */
export function startStockChanges(
  graph: Graph,
  { ids, perSecond, random }: { ids: readonly string[]; perSecond: number; random: Random },
): StockChanges {
  const running = new Set<Promise<void>>();
  const size = Math.round((perSecond * BATCH_EVERY_MS) / 1_000);
  let made = 0;
  let isStopped = false;
  let unanswered = 0;

  const change = async (): Promise<void> => {
    const inputs = Array.from({ length: size }, () => ({
      id: random.pick(ids),
      delta: random.chance(0.5) ? 1 : -1,
    }));
    const key = randomUUID();
    await eventually(
      () => graph(ADJUST, { inputs, key }),
      ({ data }) => data != null,
      { until: 'a batch of changes is made', within: GIVE_UP_MS, every: RETRY_MS },
    );
    made += size;
  };
  const timer = setInterval(() => {
    if (isStopped || running.size >= MAX_BATCHES) return;
    const batch = change()
      .catch(() => {
        unanswered += 1;
      })
      .finally(() => running.delete(batch));
    running.add(batch);
  }, BATCH_EVERY_MS);

  return {
    made: () => made,
    unanswered: () => unanswered,
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}
