import type { Invalidation } from './invalidation.ts';
import type { Crowd, OnLeave } from './ref-counted-abort.ts';

/** Work that is under way, for those who want the same. */
export interface InFlight<T> {
  /**
   * The work of that key; undefined when there is none, when it was begun before the last mutation
   * that was answered or the last event that came, or when all who wanted it have left.
   */
  readonly join: (key: string, onLeave: OnLeave | undefined) => Promise<T> | undefined;
  /**
   * Others may join the work until it ends, or a little longer.
   * @param crowd those who wait for it
   * @param since the moment when it was begun
   */
  readonly offer: (key: string, work: Promise<T>, crowd: Crowd, since: number) => void;
}

interface Offer<T> {
  readonly work: Promise<T>;
  readonly crowd: Crowd;
  readonly since: number;
  joined: boolean;
  /** When nobody may join any more, in milliseconds of `performance.now()`. */
  until: number;
}

/** However long work took, its result is joined no longer than this after its end, in milliseconds. */
const LONGEST_LINGER_MS = 10;

/**
 * @param lingers whether a result is joined after its end too: one that others have joined already,
 * for as long again as it took, which is no staler than joining makes it anyway, and 10 ms at most.
 * Where many ask the same at once, those who come a moment late would begin it all over again.
 */
export function createInFlight<T>(
  { generation }: Pick<Invalidation, 'generation'>,
  lingers: (result: T) => boolean = () => false,
): InFlight<T> {
  const offers = new Map<string, Offer<T>>();
  return {
    join: (key, onLeave) => {
      const found = offers.get(key);
      if (found?.since !== generation() || found.crowd.signal.aborted) return undefined;
      if (found.until < performance.now()) return undefined;
      found.joined = true;
      found.crowd.add(onLeave);
      return found.work;
    },
    offer: (key, work, crowd, since) => {
      const offer: Offer<T> = { work, crowd, since, joined: false, until: Infinity };
      offers.set(key, offer);
      const begun = performance.now();
      const end = (): void => {
        if (offers.get(key) === offer) offers.delete(key);
      };
      work.then((result) => {
        if (!offer.joined || since !== generation() || !lingers(result)) return end();
        const now = performance.now();
        const ms = Math.min(now - begun, LONGEST_LINGER_MS);
        offer.until = now + ms;
        setTimeout(end, ms);
      }, end);
    },
  };
}
