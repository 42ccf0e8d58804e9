import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface Patience {
  /** What is waited for, for the message: `the order is CONFIRMED`. */
  readonly until?: string;
  /** When to give up, in milliseconds; 15,000 unless told otherwise. */
  readonly within?: number;
  /** How long to wait between two looks, in milliseconds; 25 unless told otherwise. */
  readonly every?: number;
}

/**
 * Looks again and again until what it sees is right, and hands it back.
 * @param look may throw: that is not right yet
 * @throws with what was seen last, once the time is over
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  isRight: (seen: T) => boolean,
  { until = 'what is seen is right', within = 15_000, every = 25 }: Patience = {},
): Promise<T> {
  const giveUpAt = performance.now() + within;
  for (;;) {
    let last: string;
    try {
      const seen = await look();
      if (isRight(seen)) return seen;
      last = `saw last: ${inspect(seen, { depth: 6, breakLength: 120 })}`;
    } catch (error) {
      last = `failed last: ${error instanceof Error ? error.message : inspect(error)}`;
    }
    if (performance.now() > giveUpAt) {
      throw new Error(`Waited ${within / 1000} s in vain until ${until}; ${last}`);
    }
    await pause(every);
  }
}
