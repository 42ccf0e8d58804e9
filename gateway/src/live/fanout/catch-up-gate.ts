/** Limits how many catch-ups run at a time; the others wait in order of arrival. */
export interface CatchUpGate {
  /**
   * Starts a catch-up at once or when a slot is free. @returns a function that frees its slot or
   * ends its wait
   */
  readonly enter: (run: () => void) => () => void;
}

/** @param limit maximum catch-ups that run at a time */
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
        // Deferred: the catch-up that leaves may still be moving its clients to the stream.
        queueMicrotask(next);
      };
    },
  };
}
