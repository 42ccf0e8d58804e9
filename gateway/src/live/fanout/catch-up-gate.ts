/** Lets so many catch-ups run at a time; the others wait for their turn, in the order they came. */
export interface CatchUpGate {
  /** Returns how to leave, whether it waits, runs or has left; the next one then has its turn. */
  readonly enter: (run: () => void) => () => void;
  readonly running: () => number;
  readonly waiting: () => number;
}

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
    running: () => running,
    waiting: () => waiting.size,
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
        // Not at once: whoever leaves may be in the middle of handing its clients over.
        queueMicrotask(next);
      };
    },
  };
}
