import { setTimeout } from 'node:timers/promises';

/**
 * Creates an exponential backoff from `first` to `most` milliseconds. Each wait varies randomly by up to
 * a quarter, so that many processes do not retry at the same time.
 */
export function createBackoff(first: number, most: number) {
  let next = first;
  return {
    /** Returns the time to wait before the next retry, in milliseconds. */
    next(): number {
      const wait = next;
      next = Math.min(next * 2, most);
      return Math.round(wait * (0.75 + Math.random() * 0.5));
    },
    /** Resets the wait to `first`. Call it after a success. */
    reset(): void {
      next = first;
    },
  };
}

export type Backoff = ReturnType<typeof createBackoff>;

/** Resolves after a time, in milliseconds, or immediately when the signal is aborted. It never rejects. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal ? { signal } : {}).catch(() => {});
}

/**
 * Settles like the given promise, or resolves when the signal is aborted. In both cases, it removes its
 * listener from the signal.
 */
export async function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal) {
  if (signal.aborted) return;
  let leave = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
