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
 */
export interface ChangeLog {
  readonly append: (arrival: Arrival) => Verdict;
  /** Skips a record that is not a change: a record of another system, or the announcement of an epoch. */
  readonly skip: (offset: number, epoch?: string) => Verdict;
  /** The next offset to read. */
  readonly next: number;
  readonly epoch: string | undefined;
  /** Commit time of the newest change; 0 before the first one. */
  readonly newestAt: number;
  /** The newest version of a key among the changes in memory. */
  readonly versionOf: (key: string) => number | undefined;
  /** The changes from an offset on; undefined when the offset is before the first one in memory. */
  readonly since: (offset: number) => readonly LoggedChange[] | undefined;
  /** Sets the position before the first record. Later calls have no effect. */
  readonly startAt: (offset: number, epoch: string) => void;
}

export function createChangeLog(capacity: number): ChangeLog {
  let changes: LoggedChange[] = [];
  /** The first offset in memory. Trimming in halves of the capacity makes its cost negligible. */
  let first = 0;
  let next = 0;
  let epoch: string | undefined;
  /** Whether a record with this epoch was read. Before that, only the database names it. */
  let confirmed = false;
  /** Epochs never return: later changes of a past epoch come from a replaced relay. */
  const pastEpochs = new Set<string>();
  let term = 0;
  let newestAt = 0;
  const versions = new Map<string, number>();

  const trim = (): void => {
    if (changes.length < capacity * 1.5) return;
    const dropped = changes.splice(0, changes.length - capacity);
    for (const { key, version } of dropped) {
      if (versions.get(key) === version) versions.delete(key);
    }
    first = changes[0]?.offset ?? next;
  };

  const add = ({ change, term: sender }: Arrival): void => {
    changes.push(change);
    versions.set(change.key, change.version);
    term = Math.max(term, sender);
    newestAt = Math.max(newestAt, change.at);
    trim();
  };

  /** Empties the log and restarts it at an offset. */
  const restart = (offset: number, newEpoch: string): Verdict => {
    const wasEmpty = epoch === undefined;
    if (confirmed && epoch !== undefined && epoch !== newEpoch) pastEpochs.add(epoch);
    changes = [];
    versions.clear();
    term = 0;
    epoch = newEpoch;
    confirmed = true;
    first = offset;
    next = offset + 1;
    return wasEmpty ? 'new' : 'broken';
  };

  const skip = (offset: number, newEpoch?: string): Verdict => {
    if (newEpoch !== undefined && newEpoch !== epoch && !pastEpochs.has(newEpoch)) {
      return restart(offset, newEpoch);
    }
    // After a gap, `next` is not advanced, so that the next change reveals the gap.
    if (offset === next) next = offset + 1;
    return 'stale';
  };

  return {
    append: (arrival) => {
      const { change } = arrival;
      if (pastEpochs.has(change.epoch)) return skip(change.offset);
      const sameEpoch = change.epoch === epoch;
      if (sameEpoch && change.offset < next) return 'stale';
      if (!sameEpoch || change.offset > next) {
        const verdict = restart(change.offset, change.epoch);
        add(arrival);
        return verdict;
      }
      confirmed = true;
      next = change.offset + 1;
      if (arrival.term < term || change.version <= (versions.get(change.key) ?? 0)) return 'stale';
      add(arrival);
      return 'new';
    },
    skip,
    get next() {
      return next;
    },
    get epoch() {
      return epoch;
    },
    get newestAt() {
      return newestAt;
    },
    versionOf: (key) => versions.get(key),
    since: (offset) => {
      if (offset < first) return undefined;
      return changes.slice(lowerBound(changes, offset));
    },
    startAt: (offset, knownEpoch) => {
      if (confirmed) return;
      next = offset;
      first = offset;
      epoch = knownEpoch;
    },
  };
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
