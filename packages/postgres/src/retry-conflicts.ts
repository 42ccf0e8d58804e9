import { createBackoff, pause } from '@gudang/runtime';
import { isConflict } from './sql-state.ts';

/** Maximum number of attempts. */
const ATTEMPTS = 5;
/** First and longest pause between two attempts, in milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [10, 200];

/**
 * Runs a transaction again if a concurrent one made it fail by a deadlock, a serialization failure or a lock
 * time-out. There are at most 5 attempts.
 * @param work a whole transaction, without other effects
 * @throws any other error, and the error of the last attempt
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  const backoff = createBackoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
      await pause(backoff.next());
    }
  }
}
