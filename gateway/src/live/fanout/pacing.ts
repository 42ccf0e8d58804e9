const STEP_MS = 50;

/** Goodbyes: how many at once, and how long it takes until the last one, in milliseconds. */
const GOODBYES = { atOnce: 100, spreadMs: 4_000 };

/**
 * Does something to each of many, spread over time: told to go all at once, clients would come back
 * all at once. Those that leave meanwhile are passed over.
 */
export async function paced<T>(
  all: ReadonlySet<T>,
  tell: (one: T) => void,
  { atOnce, spreadMs } = GOODBYES,
): Promise<void> {
  const each = Math.max(atOnce, Math.ceil((all.size * STEP_MS) / spreadMs));
  const waiting = [...all];
  while (waiting.length > 0) {
    for (const one of waiting.splice(0, each)) if (all.has(one)) tell(one);
    if (all.size === 0) return;
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
