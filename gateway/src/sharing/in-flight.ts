import type { Crowd, OnLeave } from './crowd.ts';
import type { Freshness } from './freshness.ts';

/** Work that is under way, for those who want the same. */
export interface InFlight<T> {
  /**
   * The work of that key; undefined when there is none, when it was begun before the last mutation
   * that was answered, or when all who wanted it have left.
   */
  readonly join: (key: string, onLeave: OnLeave | undefined) => Promise<T> | undefined;
  /**
   * Others may join the work until it ends.
   * @param crowd those who wait for it
   * @param since the moment when it was begun
   */
  readonly offer: (key: string, work: Promise<T>, crowd: Crowd, since: number) => void;
}

interface Offer<T> {
  readonly work: Promise<T>;
  readonly crowd: Crowd;
  readonly since: number;
}

export function createInFlight<T>({ moment }: Pick<Freshness, 'moment'>): InFlight<T> {
  const offers = new Map<string, Offer<T>>();
  return {
    join: (key, onLeave) => {
      const found = offers.get(key);
      if (found?.since !== moment() || found.crowd.signal.aborted) return undefined;
      found.crowd.add(onLeave);
      return found.work;
    },
    offer: (key, work, crowd, since) => {
      const offer = { work, crowd, since };
      offers.set(key, offer);
      const end = (): void => {
        if (offers.get(key) === offer) offers.delete(key);
      };
      work.then(end, end);
    },
  };
}
