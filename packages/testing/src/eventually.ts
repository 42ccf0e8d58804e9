import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface Patience {
  /** The awaited condition, for the error message: `the order is CONFIRMED`. */
  readonly until?: string;
  /** Time-out in milliseconds; default 15,000. */
  readonly within?: number;
  /** Pause between two polls in milliseconds; default 25. */
  readonly every?: number;
}

/**
 * Polls until the value meets the condition, and returns it. Works outside Vitest too.
 * @param read returns the value; an error that `read` throws counts as "not yet"
 * @throws with the last value or error after the time-out
 */
export async function eventually<T>(
  read: () => T | Promise<T>,
  isMet: (value: T) => boolean,
  { until = 'the condition is met', within = 15_000, every = 25 }: Patience = {},
): Promise<T> {
  const giveUpAt = performance.now() + within;
  for (;;) {
    let last: string;
    try {
      const value = await read();
      if (isMet(value)) return value;
      last = `last value: ${inspect(value, { depth: 6, breakLength: 120 })}`;
    } catch (error) {
      last = `last error: ${error instanceof Error ? error.message : inspect(error)}`;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(`Timed out after ${within / 1000} s waiting until ${until}; ${last}`);
    }
    await pause(every);
  }
}
