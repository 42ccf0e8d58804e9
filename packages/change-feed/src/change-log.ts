/**
 * A change as it was read from the topic. Its value is decoded only by the subscriptions that need
 * it.
 */
export interface LoggedChange {
  readonly offset: number;
  readonly epoch: string;
  readonly key: string;
  /** Further keys by which the change can be watched, such as the owner of an order. */
  readonly moreKeys?: readonly string[] | undefined;
  readonly version: number;
  readonly value: Buffer;
  /** Time of the commit by the database's clock, in milliseconds since 1970. */
  readonly at: number;
  /** W3C traceparent of the cause, if it is known. */
  readonly traceparent?: string | undefined;
}

/** A change and the term of the relay that sent it. */
export interface Arrival {
  readonly change: LoggedChange;
  readonly term: number;
}

export type Verdict =
  /** The change is new and must be delivered. */
  | 'new'
  /** The change is a duplicate or late and must be dropped. */
  | 'stale'
  /**
   * The change is the first of another epoch or the first after a gap, so all earlier changes are
   * void.
   */
  | 'broken';

/**
 * Keeps the newest changes of a topic in memory and decides which of them are delivered. It does
 * not depend on Kafka or on subscriptions.
 *
 * States:
 * - *empty*: no epoch is known. `startAt` sets the epoch (→ named), or the first record does (→
 *   confirmed).
 * - *named*: the epoch comes from the database, and no record has confirmed it yet.
 * - *confirmed*: a record of this epoch was read. A record of another epoch or a record after a gap
 *   empties the log and restarts it at that record. The state remains confirmed.
 */
export class ChangeLog {
  readonly #capacity: number;
  #changes: LoggedChange[] = [];
  /** The offset from which the log is complete. */
  #first = 0;
  #next = 0;
  #epoch: string | undefined;
  #confirmed = false;
  /** Past epochs. A change of a past epoch is dropped, because a replaced relay has sent it. */
  readonly #pastEpochs = new Set<string>();
  #term = 0;
  #newestAt = 0;
  readonly #versions = new Map<string, number>();
  /** The changes in memory by their keys, so that a replay reads only the changes that it sends. */
  readonly #byKey = new Map<string, LoggedChange[]>();

  /**
   * @param capacity number of changes kept in memory; up to 1.5 times as many before the log is
   *   trimmed
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The next offset to read. */
  get next(): number {
    return this.#next;
  }

  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Commit time of the newest change; before the first one, the time given to `startAt`. */
  get newestAt(): number {
    return this.#newestAt;
  }

  /** Commit time of the oldest change in memory; 0 if no earlier change was dropped or left out. */
  get oldestAt(): number {
    return this.#first === 0 ? 0 : (this.#changes[0]?.at ?? this.#newestAt);
  }

  /**
   * Sets the epoch and the first offset to read (empty → named). Has no effect in the state
   * confirmed.
   * @param at a time before all changes from this offset on; it is the time of the position until a change
   *   is read
   */
  startAt(offset: number, epoch: string, at = 0): void {
    if (this.#confirmed) return;
    this.#newestAt = Math.max(this.#newestAt, at);
    this.#next = offset;
    this.#first = offset;
    this.#epoch = epoch;
  }

  append(arrival: Arrival): Verdict {
    const { change, term } = arrival;
    if (this.#pastEpochs.has(change.epoch)) return this.skip(change.offset);
    const sameEpoch = change.epoch === this.#epoch;
    if (sameEpoch && change.offset < this.#next) return 'stale';
    if (!sameEpoch || change.offset > this.#next) {
      const verdict = this.#restart(change.offset, change.epoch);
      this.#add(arrival);
      return verdict;
    }
    this.#confirmed = true;
    this.#next = change.offset + 1;
    const known = this.#versions.get(change.key) ?? 0;
    if (term < this.#term || change.version <= known) return 'stale';
    this.#add(arrival);
    return 'new';
  }

  /** Skips a record that is not a change: a record of another system, or the announcement of an epoch. */
  skip(offset: number, epoch?: string): Verdict {
    if (epoch !== undefined && epoch !== this.#epoch && !this.#pastEpochs.has(epoch)) {
      return this.#restart(offset, epoch);
    }
    // If earlier records are missing, `next` keeps its value, so that the next change reveals the
    // gap.
    if (offset === this.#next) this.#next = offset + 1;
    return 'stale';
  }

  /** Moves `next` past offsets that were read and contain no records, such as control records. */
  passTo(offset: number): void {
    this.#next = Math.max(this.#next, offset);
  }

  /**
   * Empties the log and restarts it at an offset, because changes before the offset cannot be read.
   */
  lose(offset: number): void {
    if (this.#epoch !== undefined) this.#restart(offset - 1, this.#epoch);
  }

  /** Returns the newest version of a key among the changes in memory. */
  versionOf(key: string): number | undefined {
    return this.#versions.get(key);
  }

  /**
   * Returns the changes from an offset on; undefined if the offset is before the first one in
   * memory.
   * @param keys returns only the changes with one of these keys; undefined for all changes
   */
  since(offset: number, keys?: readonly string[]): readonly LoggedChange[] | undefined {
    if (offset < this.#first) return undefined;
    if (keys === undefined) return this.#changes.slice(lowerBound(this.#changes, offset));
    const found = [...new Set(keys)].flatMap((key) => {
      const changes = this.#byKey.get(key) ?? [];
      return changes.slice(lowerBound(changes, offset));
    });
    return keys.length === 1 ? found : found.sort((one, other) => one.offset - other.offset);
  }

  /** Empties the log and restarts it at an offset (→ confirmed). */
  #restart(offset: number, epoch: string): Verdict {
    const wasEmpty = this.#epoch === undefined;
    if (this.#confirmed && this.#epoch !== undefined && this.#epoch !== epoch) {
      this.#pastEpochs.add(this.#epoch);
    }
    this.#changes = [];
    this.#versions.clear();
    this.#byKey.clear();
    this.#term = 0;
    this.#epoch = epoch;
    this.#confirmed = true;
    this.#first = offset;
    this.#next = offset + 1;
    return wasEmpty ? 'new' : 'broken';
  }

  #add({ change, term }: Arrival): void {
    this.#changes.push(change);
    this.#versions.set(change.key, change.version);
    this.#term = Math.max(this.#term, term);
    this.#newestAt = Math.max(this.#newestAt, change.at);
    for (const key of keysOf(change)) {
      const changes = this.#byKey.get(key);
      if (changes) changes.push(change);
      else this.#byKey.set(key, [change]);
    }
    this.#trim();
  }

  /** Trims the log only once it exceeds its capacity by half, so that trimming costs little. */
  #trim(): void {
    if (this.#changes.length < this.#capacity * 1.5) return;
    const dropped = this.#changes.splice(0, this.#changes.length - this.#capacity);
    for (const { key, version } of dropped) {
      if (this.#versions.get(key) === version) this.#versions.delete(key);
    }
    this.#first = this.#changes[0]?.offset ?? this.#next;
    for (const key of new Set(dropped.flatMap(keysOf))) {
      const changes = this.#byKey.get(key) ?? [];
      changes.splice(0, lowerBound(changes, this.#first));
      if (changes.length === 0) this.#byKey.delete(key);
    }
  }
}

/** Returns all keys by which a change can be watched. */
export function keysOf({ key, moreKeys }: LoggedChange): readonly string[] {
  return moreKeys === undefined ? [key] : [key, ...moreKeys];
}

/** Returns the index of the first change at or after an offset. */
function lowerBound(changes: readonly LoggedChange[], offset: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.offset ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
