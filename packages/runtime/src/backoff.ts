import { setTimeout } from 'node:timers/promises';

/**
 * Creates an exponential backoff from `first` to `most` milliseconds. Each wait varies by up to a quarter,
 * so that many processes do not retry at the same time.
 */
export function createBackoff(first: number, most: number) {
  let next = first;
  return {
    /** Returns the wait before the next retry, in milliseconds. */
    next(): number {
      const wait = next;
      next = Math.min(next * 2, most);
      return Math.round(wait * (0.75 + Math.random() * 0.5));
    },
    /** Resets the wait to `first`, after a success. */
    reset(): void {
      next = first;
    },
  };
}

export type Backoff = ReturnType<typeof createBackoff>;

/** Resolves after a time in milliseconds, or at once when the signal is aborted. Never rejects. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal ? { signal } : {}).catch(() => {});
}

/** Settles with the promise, or resolves when the signal is aborted. Removes its listener. */
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
