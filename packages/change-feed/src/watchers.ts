import type { LoggedChange } from './change-log.ts';

/** A change; or `missed` if changes were dropped and the watcher therefore needs a snapshot. */
export type Watched = LoggedChange | 'missed';

/** Delivers the changes of some keys, or of all keys, from the creation of the watch on. */
export interface Watch {
  /** Resolves with the next change, or with undefined once the watch is closed. */
  readonly next: () => Promise<Watched | undefined>;
  readonly close: () => void;
}

export interface Watchers {
  /**
   * @param keys the keys to watch; undefined for all keys
   * @param earlier changes that are delivered first
   * @param isStrict whether `earlier` counts towards the limit of pending changes. The pending changes of
   *   all keys are then always in the log
   */
  readonly watch: (
    keys: readonly string[] | undefined,
    earlier?: readonly LoggedChange[],
    isStrict?: boolean,
  ) => Watch;
  readonly publish: (change: LoggedChange) => void;
  /**
   * Replaces the pending changes of every watcher with `missed`. Must be called when changes that
   * were already delivered may be void.
   */
  readonly missed: () => void;
  readonly count: () => number;
}

interface Watcher {
  readonly publish: (change: LoggedChange) => void;
  readonly missed: () => void;
}

/**
 * Creates an index of watchers by key, so that the cost of a change depends only on the watchers of
 * its key.
 * @param limit maximum number of pending changes per watcher, not counting the `earlier` changes
 *   passed to `watch`, unless the watch is strict. If it is exceeded, all pending changes are replaced
 *   by one `missed`.
 */
export function createWatchers(limit: number): Watchers {
  const byKey = new Map<string, Set<Watcher>>();
  const ofAll = new Set<Watcher>();
  let count = 0;

  const add = (watcher: Watcher, keys: readonly string[] | undefined): void => {
    if (keys === undefined) ofAll.add(watcher);
    for (const key of keys ?? []) {
      const watching = byKey.get(key);
      if (watching) watching.add(watcher);
      else byKey.set(key, new Set([watcher]));
    }
  };
  const remove = (watcher: Watcher, keys: readonly string[] | undefined): void => {
    ofAll.delete(watcher);
    for (const key of keys ?? []) {
      const watching = byKey.get(key);
      watching?.delete(watcher);
      if (watching?.size === 0) byKey.delete(key);
    }
  };

  return {
    watch: (keys, earlier = [], isStrict = false) => {
      let pending: Watched[] = [...earlier];
      /**
       * Number of changes in `pending` that were already delivered. Array.shift would copy the rest
       * of the array at each delivery.
       */
      let taken = 0;
      let capacity = isStrict ? limit : limit + earlier.length;
      let wake: ((watched: Watched | undefined) => void) | undefined;
      let closed = false;
      const deliver = (watched: Watched): void => {
        if (wake) {
          wake(watched);
          wake = undefined;
        } else if (pending.length - taken < capacity) pending.push(watched);
        else restart(['missed']);
      };
      const restart = (next: Watched[]): void => {
        pending = next;
        taken = 0;
        capacity = limit;
      };
      const watcher: Watcher = {
        publish: deliver,
        missed: () => {
          restart([]);
          deliver('missed');
        },
      };
      add(watcher, keys);
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
          remove(watcher, keys);
          restart([]);
          wake?.(undefined);
        },
      };
    },
    publish: (change) => {
      for (const watcher of byKey.get(change.key) ?? []) watcher.publish(change);
      for (const watcher of ofAll) watcher.publish(change);
    },
    missed: () => {
      const all = new Set(ofAll);
      for (const watching of byKey.values()) for (const watcher of watching) all.add(watcher);
      for (const watcher of all) watcher.missed();
    },
    count: () => count,
  };
}
