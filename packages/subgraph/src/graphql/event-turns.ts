/** Maximum time that events of all subscriptions may take in one iteration of the event loop, in ms. */
const BUSY_MS = 5;
/** Number of waiting subscriptions that continue in one iteration, each with at least one event. */
const WOKEN = 32;

let busySince: number | undefined;
const waiting: (() => void)[] = [];

/**
 * Whether an event must wait for `nextTurn`. Check it before each event of a subscription. Without these
 * pauses, a subscription that replays thousands of events occupies the event loop until the last one,
 * because a message that fits into the socket's buffer is sent without waiting, and all other requests
 * wait as well.
 */
export function mustWaitForTurn(): boolean {
  if (busySince === undefined) {
    busySince = performance.now();
    setImmediate(nextIteration);
  }
  return performance.now() - busySince >= BUSY_MS;
}

/** Resolves in a later iteration of the event loop. Call only if `mustWaitForTurn` has returned true. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => waiting.push(resolve));
}

function nextIteration(): void {
  busySince = undefined;
  for (const resolve of waiting.splice(0, WOKEN)) resolve();
  if (waiting.length === 0) return;
  busySince = performance.now();
  setImmediate(nextIteration);
}
