/** One change as it was read from the topic; its value stays bytes until somebody wants it. */
export interface LoggedChange {
  readonly offset: number;
  readonly epoch: string;
  readonly key: string;
  readonly version: number;
  readonly value: Buffer;
  /** When it was committed, milliseconds since 1970 by the database's clock. */
  readonly at: number;
  /** What caused it, where that is known: a W3C traceparent. */
  readonly traceparent?: string | undefined;
}

/** What one record brings: the change, and the term of the relay that sent it. */
export interface Arrival {
  readonly change: LoggedChange;
  readonly term: number;
}

export type Verdict =
  /** To be shown. */
  | 'new'
  /** A repeat, or late: dropped. */
  | 'stale'
  /** First of another epoch, or after a gap: what was kept is void, and this one is new. */
  | 'broken';

/**
 * The last changes of a topic in memory, and the rule what of it is shown. Knows nothing of
 * Kafka or subscribers: records go in, verdicts come out.
 */
export interface ChangeLog {
  readonly append: (arrival: Arrival) => Verdict;
  /** A record that is no change: of another system, or word that an epoch begins. */
  readonly pass: (offset: number, epoch?: string) => Verdict;
  /** The next offset to read. */
  readonly next: number;
  readonly epoch: string | undefined;
  /** When the newest change was committed; 0 when none is known. */
  readonly newestAt: number;
  /** The newest version of a key among the kept changes. */
  readonly versionOf: (key: string) => number | undefined;
  /** The kept changes from an offset on, or undefined when that is before what is kept. */
  readonly since: (offset: number) => readonly LoggedChange[] | undefined;
  /** Where reading starts: sets the position when nothing has been read. */
  readonly startAt: (offset: number, epoch: string) => void;
}

export function createChangeLog(capacity: number): ChangeLog {
  let changes: LoggedChange[] = [];
  /** Trimmed in halves of the capacity, so that dropping the oldest costs nothing a change. */
  let first = 0;
  let next = 0;
  let epoch: string | undefined;
  /** Whether a record has said so, and not only the database. */
  let confirmed = false;
  /** An epoch never comes back: what still arrives of one is a replaced relay's. */
  const left = new Set<string>();
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

  const keep = ({ change, term: sender }: Arrival): void => {
    changes.push(change);
    versions.set(change.key, change.version);
    term = Math.max(term, sender);
    newestAt = Math.max(newestAt, change.at);
    trim();
  };

  /** Begins anew at an offset. */
  const restart = (offset: number, newEpoch: string): Verdict => {
    const wasEmpty = epoch === undefined;
    if (confirmed && epoch !== undefined && epoch !== newEpoch) left.add(epoch);
    changes = [];
    versions.clear();
    term = 0;
    epoch = newEpoch;
    confirmed = true;
    first = offset;
    next = offset + 1;
    return wasEmpty ? 'new' : 'broken';
  };

  const pass = (offset: number, newEpoch?: string): Verdict => {
    if (newEpoch !== undefined && newEpoch !== epoch && !left.has(newEpoch)) {
      return restart(offset, newEpoch);
    }
    // Behind a gap it stays where it is: the next change tells of the gap.
    if (offset === next) next = offset + 1;
    return 'stale';
  };

  return {
    append: (arrival) => {
      const { change } = arrival;
      if (left.has(change.epoch)) return pass(change.offset);
      const sameEpoch = change.epoch === epoch;
      if (sameEpoch && change.offset < next) return 'stale';
      if (!sameEpoch || change.offset > next) {
        const verdict = restart(change.offset, change.epoch);
        keep(arrival);
        return verdict;
      }
      confirmed = true;
      next = change.offset + 1;
      if (arrival.term < term || change.version <= (versions.get(change.key) ?? 0)) return 'stale';
      keep(arrival);
      return 'new';
    },
    pass,
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

/** The index of the first change at or after an offset. */
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
