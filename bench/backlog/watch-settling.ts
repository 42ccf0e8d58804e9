import { setTimeout as pause } from 'node:timers/promises';
import type { Databases } from '@gudang/testing/system/databases';

const POLL_EVERY_MS = 100;
/** Time without progress after which the backlog is considered stuck, in milliseconds. */
const STUCK_AFTER_MS = 60_000;

/**
 * Progress of one stage, counted in the database. `first` and `last` are in seconds after Kafka's
 * return.
 */
export interface Stage {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Number of orders per second between `first` and `last`. */
  readonly perSecond: number;
}

export interface Settling {
  readonly decided: Stage;
  readonly settled: Stage;
}

/**
 * Measures how fast the stock service decides a backlog and how fast the order service settles it.
 */
export async function watchSettling(
  { stock, order }: Databases,
  { count, from }: { count: number; from: number },
): Promise<Settling> {
  const seen = { decided: createStage(), settled: createStage() };
  const counts = async () => {
    const [decisions, open] = await Promise.all([
      stock('SELECT count(*)::int AS n FROM decisions'),
      order("SELECT count(*)::int AS n FROM orders WHERE status <> 'PENDING'"),
    ]);
    return { decided: decisions[0]?.['n'] as number, settled: open[0]?.['n'] as number };
  };
  let moved = performance.now();
  for (;;) {
    const now = await counts();
    const at = (performance.now() - from) / 1_000;
    const before = seen.settled.read().count + seen.decided.read().count;
    seen.decided.note(now.decided, at);
    seen.settled.note(now.settled, at);
    if (now.decided + now.settled > before) moved = performance.now();
    const isOver = now.settled >= count || performance.now() - moved > STUCK_AFTER_MS;
    if (isOver) return { decided: seen.decided.read(), settled: seen.settled.read() };
    await pause(POLL_EVERY_MS);
  }
}

function createStage() {
  let stage = { first: 0, firstCount: 0, last: 0, count: 0 };
  return {
    note: (count: number, at: number): void => {
      if (count === stage.count) return;
      const isFirst = stage.count === 0;
      stage = { ...stage, ...(isFirst ? { first: at, firstCount: count } : {}), last: at, count };
    },
    read: (): Stage => {
      const { first, firstCount, last, count } = stage;
      const perSecond = last > first ? (count - firstCount) / (last - first) : 0;
      return { first, last, count, perSecond };
    },
  };
}
