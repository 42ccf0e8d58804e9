import { keysOf, type LoggedChange } from './change-log.ts';

/** A change; or `missed` if changes were dropped and the watcher therefore needs a snapshot. */
export type Watched = LoggedChange | 'missed';

/** Delivers the changes of some keys, or of all keys, from the creation of the watch on. */
export interface Watch {
  /** Resolves with the next change, or with undefined once the watch is closed. */
  readonly next: () => Promise<Watched | undefined>;
  /**
   * A time before the changes that the last `missed` replaces, in milliseconds since 1970 by the database's
   * clock. Changes are sent in about the order of their times: allow for the longest transaction.
   */
  readonly missedSince: () => number;
  readonly close: () => void;
}

export interface Watchers {
  /**
   * @param keys the keys to watch; undefined for all keys. A change is delivered once if it has at most one
   *   of the keys
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
   * @param since the time of the newest change that was published, in milliseconds since 1970
   */
  readonly missed: (since: number) => void;
  readonly count: () => number;
}

interface Watcher {
  readonly publish: (change: LoggedChange) => void;
  readonly missed: (since: number) => void;
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
      const queue = new PendingChanges(limit, earlier, isStrict);
      add(queue, keys);
      count += 1;
      return {
        next: () => queue.next(),
        missedSince: () => queue.missedSince,
        close: () => {
          if (!queue.close()) return;
          count -= 1;
          remove(queue, keys);
        },
      };
    },
    publish: (change) => {
      for (const key of keysOf(change)) {
        for (const watcher of byKey.get(key) ?? []) watcher.publish(change);
      }
      for (const watcher of ofAll) watcher.publish(change);
    },
    missed: (since) => {
      const all = new Set(ofAll);
      for (const watching of byKey.values()) for (const watcher of watching) all.add(watcher);
      for (const watcher of all) watcher.missed(since);
    },
    count: () => count,
  };
}

/** The changes that wait for one watcher. */
class PendingChanges implements Watcher {
  readonly #limit: number;
  #pending: Watched[];
  /**
   * Number of changes in `#pending` that were already delivered. Array.shift would copy the rest of the
   * array at each delivery.
   */
  #taken = 0;
  #capacity: number;
  #wake: ((watched: Watched | undefined) => void) | undefined;
  #isClosed = false;
  missedSince = 0;

  constructor(limit: number, earlier: readonly LoggedChange[], isStrict: boolean) {
    this.#limit = limit;
    this.#pending = [...earlier];
    this.#capacity = isStrict ? limit : limit + earlier.length;
  }

  publish(change: LoggedChange): void {
    if (this.#wake) this.#deliver(change);
    else if (this.#pending.length - this.#taken < this.#capacity) this.#pending.push(change);
    else this.missed(change.at);
  }

  missed(since: number): void {
    const first = this.#pending[this.#taken];
    // A `missed` that waits already has the earlier time.
    if (first !== 'missed') this.missedSince = Math.min(since, first?.at ?? since);
    this.#restart();
    if (this.#wake) this.#deliver('missed');
    else this.#pending.push('missed');
  }

  next(): Promise<Watched | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const first = this.#pending[this.#taken];
    if (first !== undefined) {
      this.#taken += 1;
      if (this.#taken === this.#pending.length) this.#restart();
      return Promise.resolve(first);
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** @returns false if it was closed before */
  close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#restart();
    this.#wake?.(undefined);
    return true;
  }

  #deliver(watched: Watched): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.(watched);
  }

  #restart(): void {
    this.#pending = [];
    this.#taken = 0;
    this.#capacity = this.#limit;
  }
}
