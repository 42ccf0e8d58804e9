/**
 * Limits the number of concurrent catch-ups, in total and per owner. Further catch-ups wait: those
 * of one owner in order of arrival, and the owners in turn, so that an owner with many catch-ups
 * does not delay the others.
 */
export interface CatchUpGate {
  /**
   * Starts a catch-up at once, or as soon as a slot is free.
   * @param owner identifies the owner
   * @returns a function that frees the catch-up's slot, or cancels the catch-up if it is still
   * waiting
   */
  readonly enter: (owner: object, run: () => void) => () => void;
}

interface Owner {
  readonly waiting: Set<() => void>;
  running: number;
}

/** One owner may use at most this part of the slots. */
const OWNER_PART = 5;

/** @param limit maximum number of concurrent catch-ups; one owner may have a fifth of them */
export function createCatchUpGate(limit: number): CatchUpGate {
  const perOwner = Math.max(1, Math.floor(limit / OWNER_PART));
  /** Owners with catch-ups, the next one in turn first. */
  const owners = new Map<object, Owner>();
  let running = 0;

  const startNext = (): boolean => {
    for (const [key, owner] of owners) {
      const [begin] = owner.waiting;
      if (!begin || owner.running >= perOwner) continue;
      owners.delete(key);
      owners.set(key, owner);
      owner.waiting.delete(begin);
      owner.running += 1;
      running += 1;
      begin();
      return true;
    }
    return false;
  };
  const next = (): void => {
    while (running < limit && startNext());
  };

  return {
    enter: (key, run) => {
      let state: 'waiting' | 'running' | 'left' = 'waiting';
      const owner = owners.get(key) ?? { waiting: new Set(), running: 0 };
      owners.set(key, owner);
      const begin = (): void => {
        state = 'running';
        run();
      };
      owner.waiting.add(begin);
      next();
      return () => {
        if (state === 'left') return;
        const ran = state === 'running';
        if (state === 'waiting') owner.waiting.delete(begin);
        state = 'left';
        if (ran) {
          running -= 1;
          owner.running -= 1;
        }
        if (owner.running === 0 && owner.waiting.size === 0) owners.delete(key);
        // The next catch-up starts in a microtask, because the catch-up that frees its slot may
        // still be moving its clients to the stream.
        if (ran) queueMicrotask(next);
      };
    },
  };
}
