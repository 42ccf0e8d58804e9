/** Limits how many catch-ups run at a time; the others wait in the order in which they came. */
export interface CatchUpGate {
  /** Runs at once or later. Returns how to leave in any state; the next one then has its turn. */
  readonly enter: (run: () => void) => () => void;
}

/** @param limit the most that run at a time */
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
        // Not at once: the catch-up that leaves may still be handing over its clients.
        queueMicrotask(next);
      };
    },
  };
}
