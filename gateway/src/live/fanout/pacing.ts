const STEP_MS = 50;

/** Pace of closing clients: at least 100 per step, and all within 4 s. */
const CLOSES = { atOnce: 100, spreadMs: 4_000 };

/**
 * Applies an action to each item, spread over time. If all clients were closed at the same moment,
 * for example, they would also reconnect at the same moment. Items that leave the set in the
 * meantime are skipped.
 */
export async function paced<T>(
  items: ReadonlySet<T>,
  action: (item: T) => void,
  { atOnce, spreadMs } = CLOSES,
): Promise<void> {
  const each = Math.max(atOnce, Math.ceil((items.size * STEP_MS) / spreadMs));
  const waiting = [...items];
  while (waiting.length > 0) {
    for (const item of waiting.splice(0, each)) if (items.has(item)) action(item);
    if (items.size === 0) return;
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
