/**
 * Waits that grow from `first` to `most` milliseconds, each varied by up to a quarter so that many
 * processes do not come back at the same moment.
 */
export function createBackoff(first: number, most: number) {
  let next = first;
  return {
    /** The wait before the next try, in milliseconds. */
    next(): number {
      const wait = next;
      next = Math.min(next * 2, most);
      return Math.round(wait * (0.75 + Math.random() * 0.5));
    },
    /** After a success: the next wait is the first again. */
    reset(): void {
      next = first;
    },
  };
}

export type Backoff = ReturnType<typeof createBackoff>;

/** Resolves after so many milliseconds, or at once when the signal is aborted; never rejects. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Resolves as the promise does or once the signal is aborted, and leaves no listener behind. */
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
