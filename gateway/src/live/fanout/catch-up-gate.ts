/** Limits the number of concurrent catch-ups; further catch-ups wait in order of arrival. */
export interface CatchUpGate {
  /**
   * Starts a catch-up at once, or as soon as a slot is free.
   * @returns a function that frees the catch-up's slot, or cancels the catch-up if it is still
   * waiting
   */
  readonly enter: (run: () => void) => () => void;
}

/** @param limit maximum number of concurrent catch-ups */
export function createCatchUpGate(limit: number): CatchUpGate {
  const waiting = new Set<() => void>();
  let running = 0;

  const next = (): void => {
    for (const begin of waiting) {
      if (running >= limit) return;
      waiting.delete(begin);
      running += 1;
      begin();
    }
  };

  return {
    enter: (run) => {
      let state: 'waiting' | 'running' | 'left' = 'waiting';
      const begin = (): void => {
        state = 'running';
        run();
      };
      waiting.add(begin);
      next();
      return () => {
        if (state === 'waiting') waiting.delete(begin);
        const ran = state === 'running';
        state = 'left';
        if (!ran) return;
        running -= 1;
        // The next catch-up starts in a microtask, because the catch-up that frees its slot may
        // still be moving its clients to the stream.
        queueMicrotask(next);
      };
    },
  };
}
