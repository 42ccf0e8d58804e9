/** Time span over which rates and percentiles are computed, in milliseconds. */
const WINDOW_MS = 10_000;

export interface Decided {
  readonly status: 'CONFIRMED' | 'REJECTED';
  /** Time from the order's request until the client received its decision. */
  readonly tookMs: number;
}

/** Statistics of a traffic run. All times are in milliseconds and from the same clock. */
export interface Figures {
  readonly acknowledged: (now: number) => void;
  readonly decided: (order: Decided, now: number) => void;
  readonly totals: () => { acknowledged: number; CONFIRMED: number; REJECTED: number };
  /** Number of acknowledged orders that are not decided yet. */
  readonly waiting: () => number;
  /**
   * Formats the statistics, for example
   * `20.0 orders/s · 812 confirmed · 43 rejected · p50 9 ms, p99 31 ms to the push`.
   */
  readonly line: (now: number) => string;
}

export function createFigures(began: number): Figures {
  const totals = { acknowledged: 0, CONFIRMED: 0, REJECTED: 0 };
  let recentlyTaken: number[] = [];
  let recentlyDecided: { readonly at: number; readonly tookMs: number }[] = [];
  const waiting = (): number => totals.acknowledged - totals.CONFIRMED - totals.REJECTED;
  return {
    acknowledged: (now) => {
      totals.acknowledged += 1;
      recentlyTaken.push(now);
    },
    decided: ({ status, tookMs }, now) => {
      totals[status] += 1;
      recentlyDecided.push({ at: now, tookMs });
    },
    totals: () => ({ ...totals }),
    waiting,
    line: (now) => {
      const since = now - WINDOW_MS;
      recentlyTaken = recentlyTaken.filter((at) => at > since);
      recentlyDecided = recentlyDecided.filter(({ at }) => at > since);
      const seconds = Math.max(Math.min(now - began, WINDOW_MS), 1) / 1000;
      const times = recentlyDecided.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
      const parts = [
        `${(recentlyTaken.length / seconds).toFixed(1)} orders/s`,
        `${totals.CONFIRMED} confirmed`,
        `${totals.REJECTED} rejected`,
        times.length === 0
          ? 'no recent pushes'
          : `p50 ${percentile(times, 50)} ms, p99 ${percentile(times, 99)} ms to the push`,
      ];
      if (waiting() > 0) parts.push(`${waiting()} pending`);
      return parts.join(' · ');
    },
  };
}

/** Returns the nearest-rank percentile of sorted numbers, rounded to an integer. */
function percentile(sorted: readonly number[], percent: number): number {
  return Math.round(sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0);
}
