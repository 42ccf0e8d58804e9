import type { LoggedChange } from './change-log.ts';

/** What a watcher is handed: a change, or word that changes were missed and a snapshot is due. */
export type Watched = LoggedChange | 'missed';

/** The changes of some keys, or of all, from the moment it was made. */
export interface Watch {
  /** The next one; undefined once closed. */
  readonly next: () => Promise<Watched | undefined>;
  readonly close: () => void;
}

export interface Watchers {
  /** @param keys all keys when undefined; `earlier` are handed out first */
  readonly watch: (keys: readonly string[] | undefined, earlier?: readonly LoggedChange[]) => Watch;
  readonly show: (change: LoggedChange) => void;
  /** Tells every watcher that what it has shown may be void. */
  readonly missed: () => void;
  readonly count: () => number;
}

interface Watcher {
  readonly offer: (change: LoggedChange) => void;
  readonly missed: () => void;
}

/**
 * Watchers indexed by key: a change costs what its own watchers cost, however many there are of
 * others. A watcher that lags by more than `limit` changes (beside those that it began with) is
 * told that it missed some.
 */
export function createWatchers(limit: number): Watchers {
  const byKey = new Map<string, Set<Watcher>>();
  const ofAll = new Set<Watcher>();
  let count = 0;

  const enter = (watcher: Watcher, keys: readonly string[] | undefined): void => {
    if (keys === undefined) ofAll.add(watcher);
    for (const key of keys ?? []) {
      const watching = byKey.get(key);
      if (watching) watching.add(watcher);
      else byKey.set(key, new Set([watcher]));
    }
  };
  const leave = (watcher: Watcher, keys: readonly string[] | undefined): void => {
    ofAll.delete(watcher);
    for (const key of keys ?? []) {
      const watching = byKey.get(key);
      watching?.delete(watcher);
      if (watching?.size === 0) byKey.delete(key);
    }
  };

  return {
    watch: (keys, earlier = []) => {
      let pending: Watched[] = [...earlier];
      /** How many of `pending` are handed out: an array's own shift copies all the others. */
      let taken = 0;
      let most = limit + earlier.length;
      let wake: ((watched: Watched | undefined) => void) | undefined;
      let closed = false;
      const hand = (watched: Watched): void => {
        if (wake) {
          wake(watched);
          wake = undefined;
        } else if (pending.length - taken < most) pending.push(watched);
        else restart(['missed']);
      };
      const restart = (anew: Watched[]): void => {
        pending = anew;
        taken = 0;
        most = limit;
      };
      const watcher: Watcher = {
        offer: hand,
        missed: () => {
          restart([]);
          hand('missed');
        },
      };
      enter(watcher, keys);
      count += 1;
      return {
        next: () => {
          if (closed) return Promise.resolve(undefined);
          const first = pending[taken];
          if (first !== undefined) {
            taken += 1;
            if (taken === pending.length) restart([]);
            return Promise.resolve(first);
          }
          return new Promise((resolve) => {
            wake = resolve;
          });
        },
        close: () => {
          if (closed) return;
          closed = true;
          count -= 1;
          leave(watcher, keys);
          restart([]);
          wake?.(undefined);
        },
      };
    },
    show: (change) => {
      for (const watcher of byKey.get(change.key) ?? []) watcher.offer(change);
      for (const watcher of ofAll) watcher.offer(change);
    },
    missed: () => {
      const all = new Set(ofAll);
      for (const watching of byKey.values()) for (const watcher of watching) all.add(watcher);
      for (const watcher of all) watcher.missed();
    },
    count: () => count,
  };
}
