import type {
  ChangeFeed,
  LoggedChange,
  OpenedWatch,
  SnapshotProgress,
  TimeRange,
} from '@gudang/change-feed';
import type { PositionTracker, RowVersion } from './position-tracker.ts';

/**
 * What a change means for a subscriber that has continued a stream:
 * - `new`: the subscriber has received every earlier change of the row.
 * - `older`: a later change follows whose state the subscriber may have received.
 * - `row`: the subscriber has received an unknown version of the row, up to this one.
 */
export type Doubt = 'new' | 'older' | 'row';

interface DoubtfulRow {
  /** The newest version that the subscriber may have received, or a newer one. */
  readonly version: number;
  /** Whether its change is among the changes with which the watch starts. */
  readonly isReplayed: boolean;
}

/**
 * The rows that an earlier subscription may have sent at a version which its cursor does not contain. The
 * rows of a snapshot are read after the snapshot's position, so a row may contain changes that the feed
 * delivers after this position. A subscription remembers the versions that it has sent. A subscription that
 * continues after its cursor knows only where these changes can be: before the offset `seen`, or with a time
 * in `ahead`. It can neither send them as changes nor leave them out, and therefore sends the row again.
 */
export class DoubtfulRows {
  readonly #rows = new Map<string, DoubtfulRow>();
  #replayed = 0;
  #settledAt: number;

  /**
   * @param watch the watch that starts after the cursor
   * @param stored the stored versions of the rows that changed in `ahead` or later, read before the watch
   *   was opened
   * @param tracker records the rows whose changes the feed has not read
   */
  constructor(
    { seen, ahead }: SnapshotProgress,
    { replayed }: Pick<OpenedWatch, 'replayed'>,
    stored: readonly RowVersion[],
    { changeFeed, tracker }: { changeFeed: ChangeFeed; tracker: PositionTracker },
  ) {
    const { changes = [], end = 0 } = replayed ?? {};
    this.#settledAt = seen;
    const last = new Map<string, number>();
    for (const change of changes) {
      const { at, key, offset, version } = change;
      last.set(key, version);
      const isAhead = ahead !== undefined && isWithin(ahead, at);
      if (offset >= seen && !isAhead) continue;
      this.#set(key, { version, isReplayed: true });
      this.#settledAt = Math.max(this.#settledAt, offset + 1);
    }
    if (!ahead) return;
    const position = changeFeed.position().offset ?? 0;
    // The feed may have read more since the watch was opened.
    const hasRead = position !== end;
    for (const row of stored) {
      const { id, version, changedAt } = row;
      const at = changedAt.getTime();
      const replayedVersion = last.get(id) ?? 0;
      if (version <= replayedVersion) continue;
      const read = Math.max(replayedVersion, changeFeed.versionOf(id) ?? 0);
      // The subscriber may have received this version, or one between it and the one that the feed has read.
      const isDoubtful = hasRead || isWithin(ahead, at) || version > read + 1;
      if (!isDoubtful) continue;
      const times = { since: Math.min(ahead.since, at), until: Math.max(ahead.until, at) };
      if (!tracker.addAhead(row, times) && !hasRead) continue;
      this.#set(id, { version, isReplayed: false });
      this.#settledAt = Math.max(this.#settledAt, position);
    }
  }

  /** The offset before which the doubtful changes are that the feed has read. */
  get settledAt(): number {
    return this.#settledAt;
  }

  /** Number of rows. */
  get size(): number {
    return this.#rows.size;
  }

  /** Whether a row's change is among the changes with which the watch starts, and was not taken yet. */
  get hasReplayed(): boolean {
    return this.#replayed > 0;
  }

  /** Takes the next change of the watch. */
  take({ key, version }: Pick<LoggedChange, 'key' | 'version'>): Doubt {
    const row = this.#rows.get(key);
    if (!row) return 'new';
    if (version < row.version) return 'older';
    this.delete(key);
    return 'row';
  }

  /** Forgets a row that was sent again. */
  delete(id: string): void {
    if (this.#rows.get(id)?.isReplayed) this.#replayed -= 1;
    this.#rows.delete(id);
  }

  clear(): void {
    this.#rows.clear();
    this.#replayed = 0;
  }

  #set(id: string, row: DoubtfulRow): void {
    this.delete(id);
    this.#rows.set(id, row);
    if (row.isReplayed) this.#replayed += 1;
  }
}

/**
 * Difference between the times of a row and of its change, in milliseconds: one is rounded to milliseconds, the
 * other one is cut off.
 */
const ROUNDING_MS = 1;

function isWithin({ since, until }: TimeRange, time: number): boolean {
  return time >= since - ROUNDING_MS && time <= until + ROUNDING_MS;
}
