/** The steps of an order through the system, and their times. */
export interface Journey {
  /** The order's id. */
  readonly id: string;
  /** Time at which the order was received, in ISO 8601. */
  readonly at: string;
  /** The steps that were reached, in order; times in ms since `at`. Each step begins where the one before ends. */
  readonly steps: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  /** If false, the order waits for the step after the last one. */
  readonly settled: boolean;
}

/** Answer of the gateway's `/journeys`. */
export interface Journeys {
  /** Names of all steps, in order. */
  readonly steps: readonly string[];
  /** Newest first. */
  readonly journeys: readonly Journey[];
}

/** Time of all steps so far, in ms. */
export function totalOf({ steps }: Journey): number {
  return steps.at(-1)?.to ?? 0;
}

/** How often the time of a bar's full width may be that of the median. */
const LONGEST = 4;

/**
 * Returns the time of the full width of the bars, in ms. One order that waited for long does not make
 * the others too short to be seen.
 */
export function scaleOf(journeys: readonly Journey[]): number {
  const totals = journeys.map(totalOf).sort((a, b) => a - b);
  const median = totals[totals.length >> 1] ?? 0;
  return Math.max(1, Math.min(totals.at(-1) ?? 0, median * LONGEST));
}

/** Formats a time, such as `0.9 ms`, `24 ms` or `12.3 s`. */
export function formatTime(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** The step that an unsettled order waits for; undefined if it waits for none. */
export function nextStep({ settled, steps }: Journey, all: readonly string[]): string | undefined {
  return settled ? undefined : all[all.indexOf(steps.at(-1)?.name ?? '') + 1];
}
