/** How long it takes until the last of many is told, in milliseconds. */
const SPREAD_MS = 4_000;
const STEP_MS = 50;
/** So few are told at once. */
const AT_ONCE = 100;

/**
 * Tells many clients the same, spread over time: all at once, they would come back all at once.
 * Those that leave meanwhile are not told.
 */
export async function paced<T>(all: ReadonlySet<T>, tell: (one: T) => void): Promise<void> {
  const each = Math.max(AT_ONCE, Math.ceil((all.size * STEP_MS) / SPREAD_MS));
  const waiting = [...all];
  while (waiting.length > 0) {
    for (const one of waiting.splice(0, each)) if (all.has(one)) tell(one);
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
