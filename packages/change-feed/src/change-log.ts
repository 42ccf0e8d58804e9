/** A change as it was read from the topic. Its value is decoded by the subscriptions that need it. */
export interface LoggedChange {
  readonly offset: number;
  readonly epoch: string;
  readonly key: string;
  readonly version: number;
  readonly value: Buffer;
  /** Time of the commit by the database's clock, in milliseconds since 1970. */
  readonly at: number;
  /** W3C traceparent of the cause, if it is known. */
  readonly traceparent?: string | undefined;
}

/** A change, and the term of the relay that sent it. */
export interface Arrival {
  readonly change: LoggedChange;
  readonly term: number;
}

export type Verdict =
  /** To be delivered. */
  | 'new'
  /** A repeated or late change, to be dropped. */
  | 'stale'
  /** The first change of another epoch, or after a gap: earlier changes are void. */
  | 'broken';

/**
 * The last changes of a topic in memory, and the rules of their delivery. Independent of
 * Kafka and subscriptions.
 *
 * States:
 * - *empty*: no epoch is known. `startAt` names one (→ named), or the first record does (→ confirmed).
 * - *named*: the database named the epoch, and no record has confirmed it yet.
 * - *confirmed*: a record with this epoch was read. A record of another epoch, or after a gap,
 *   empties the log and restarts it there; the state remains confirmed.
 */
export class ChangeLog {
  readonly #capacity: number;
  #changes: LoggedChange[] = [];
  /** The first offset in memory. Trimming in halves of the capacity makes its cost negligible. */
  #first = 0;
  #next = 0;
  #epoch: string | undefined;
  #confirmed = false;
  /** Epochs never return: later changes of a past epoch come from a replaced relay. */
  readonly #pastEpochs = new Set<string>();
  #term = 0;
  #newestAt = 0;
  readonly #versions = new Map<string, number>();

  /** @param capacity changes kept in memory; up to half as many again until they are trimmed */
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

  /** Commit time of the newest change; 0 before the first one. */
  get newestAt(): number {
    return this.#newestAt;
  }

  /** Sets the position before the first record (empty → named). Has no effect once confirmed. */
  startAt(offset: number, epoch: string): void {
    if (this.#confirmed) return;
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
    // After a gap, `next` is not advanced, so that the next change reveals the gap.
    if (offset === this.#next) this.#next = offset + 1;
    return 'stale';
  }

  /** The newest version of a key among the changes in memory. */
  versionOf(key: string): number | undefined {
    return this.#versions.get(key);
  }

  /** The changes from an offset on; undefined when the offset is before the first one in memory. */
  since(offset: number): readonly LoggedChange[] | undefined {
    if (offset < this.#first) return undefined;
    return this.#changes.slice(lowerBound(this.#changes, offset));
  }

  /** Empties the log and restarts it at an offset (→ confirmed). */
  #restart(offset: number, epoch: string): Verdict {
    const wasEmpty = this.#epoch === undefined;
    if (this.#confirmed && this.#epoch !== undefined && this.#epoch !== epoch) {
      this.#pastEpochs.add(this.#epoch);
    }
    this.#changes = [];
    this.#versions.clear();
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
    this.#trim();
  }

  #trim(): void {
    if (this.#changes.length < this.#capacity * 1.5) return;
    const dropped = this.#changes.splice(0, this.#changes.length - this.#capacity);
    for (const { key, version } of dropped) {
      if (this.#versions.get(key) === version) this.#versions.delete(key);
    }
    this.#first = this.#changes[0]?.offset ?? this.#next;
  }
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
