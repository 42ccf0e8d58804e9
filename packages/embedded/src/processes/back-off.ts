const FIRST_MS = 500;
const LONGEST_MS = 15_000;
const HEALTHY_AFTER_MS = 30_000;

/**
 * How long to wait before something that died is started again, in milliseconds: 500, 1000, 2000 and so on up to
 * 15,000; from the beginning when it ran for 30 s.
 * @param previousMs the wait before; undefined when it has not died yet
 * @param ranMs how long it was running
 */
export function backOff(previousMs: number | undefined, ranMs: number): number {
  if (previousMs === undefined || ranMs >= HEALTHY_AFTER_MS) return FIRST_MS;
  return Math.min(previousMs * 2, LONGEST_MS);
}
