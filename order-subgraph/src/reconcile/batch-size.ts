/** The most orders published again in one round. */
const MOST = 500;

/**
 * How many overdue orders the next round publishes again. One is a probe: behind a mere backlog
 * the newest waits for all the rest, and one more record a round harms nobody. Only when all of a
 * round were decided before the next does the number double: then the road is clear, and what is
 * still PENDING has lost its event.
 */
export function nextBatchSize(last: { readonly size: number; readonly undecided: number }): number {
  return last.undecided > 0 || last.size === 0 ? 1 : Math.min(last.size * 2, MOST);
}
