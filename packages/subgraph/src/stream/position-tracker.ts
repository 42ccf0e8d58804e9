import { type ChangeFeed, type Cursor, formatCursor, type TimeRange } from '@gudang/change-feed';
import { LONGEST_TRANSACTION_MS } from '@gudang/postgres';
import type { Position } from '../graphql/subscription-context.ts';

/** The version of a stored row, and the time of its last change by the database's clock. */
export interface RowVersion {
  readonly id: string;
  readonly version: number;
  readonly changedAt: Date;
}

/**
 * Time in milliseconds. If a row is older than the newest change of the feed by at least this time, the
 * row's own change was probably sent before the newest change. It is not sure, because a change has the time
 * at which its transaction began.
 */
const ANNOUNCED_AFTER_MS = 1_000;
/**
 * Age of a row after which its change is no longer expected from a feed that has read no later change, in
 * milliseconds. Either the row was written without the outbox, or Kafka has been unavailable for this time.
 */
const GIVE_UP_AFTER_MS = 600_000;

type TrackedFeed = Pick<ChangeFeed, 'oldestAt' | 'position' | 'versionOf'>;

/**
 * Tracks the position of one subscription in the change feed, for position reports to the gateway. A
 * snapshot may contain a row whose change the feed has not read yet. Until the feed has read this change,
 * the subscriber is ahead of the feed: a client that resumed from the feed's position would then receive
 * older states.
 *
 * States:
 * - in a snapshot: `beginSnapshot` was called, and `endSnapshot` was not called yet. There is no
 *   position;
 * - ahead: the subscriber has received a row whose change the feed has not read yet. There is
 *   no position;
 * - idle: the subscription waits for the next change. Its position is the position of the feed;
 * - busy: the subscription is in none of the other states. The position is unknown.
 */
export class PositionTracker {
  readonly #changeFeed: TrackedFeed;
  readonly #ahead = new Map<string, { version: number; changedAt: number }>();
  /** Contains the time of each row in `#ahead` at the version that the subscriber has received. */
  #aheadTimes: TimeRange | undefined;
  #isInSnapshot = false;
  #isIdle = false;

  constructor(changeFeed: TrackedFeed) {
    this.#changeFeed = changeFeed;
  }

  /** Returns the position. See `Position` for its values. */
  read(): Position {
    if (this.#ahead.size > 0) this.#dropOldRows();
    if (this.#isInSnapshot || this.#ahead.size > 0) return null;
    return this.#isIdle ? textOf(this.#changeFeed) : undefined;
  }

  /** The times of the changes that the subscriber has received and the feed has not read, if there are any. */
  get ahead(): TimeRange | undefined {
    return this.#ahead.size === 0 ? undefined : this.#aheadTimes;
  }

  /** Sets whether the subscription waits for the next change. */
  setIdle(idle: boolean): void {
    this.#isIdle = idle;
  }

  beginSnapshot(): void {
    this.#isInSnapshot = true;
  }

  endSnapshot(): void {
    this.#isInSnapshot = false;
  }

  /**
   * Records a row that the snapshot contains.
   * @returns whether the feed may have to deliver a change that the row already contains
   */
  addRow(row: RowVersion): boolean {
    const at = row.changedAt.getTime();
    if (this.addAhead(row, { since: at, until: at })) return true;
    const { at: newest } = this.#changeFeed.position();
    return this.#changeFeed.versionOf(row.id) !== undefined || at > newest - LONGEST_TRANSACTION_MS;
  }

  /**
   * Records a row if the feed has not read its change.
   * @param times contains the time of the version that the subscriber has received, which may be an earlier
   *   version than the row's
   * @returns whether it was recorded
   */
  addAhead(row: RowVersion, times: TimeRange): boolean {
    if (!this.#isAhead(row)) return false;
    this.#ahead.set(row.id, { version: row.version, changedAt: row.changedAt.getTime() });
    const { since, until } = this.#aheadTimes ?? times;
    this.#aheadTimes = {
      since: Math.min(since, times.since),
      until: Math.max(until, times.until),
    };
    return true;
  }

  /** Forgets the rows whose changes the feed has read in the meantime. */
  dropRead(): void {
    for (const [id, { version }] of this.#ahead) {
      if ((this.#changeFeed.versionOf(id) ?? 0) >= version) this.#ahead.delete(id);
    }
    this.#settle();
  }

  /** Records a change that was taken from the feed. */
  advance({ key, version }: { readonly key: string; readonly version: number }): void {
    const row = this.#ahead.get(key);
    if (!row || version < row.version) return;
    this.#ahead.delete(key);
    this.#settle();
  }

  #isAhead({ id, version, changedAt }: RowVersion): boolean {
    const read = this.#changeFeed.versionOf(id);
    if (read !== undefined) return version > read;
    const changed = changedAt.getTime();
    if (!this.#isExpected(changed)) return false;
    const { at } = this.#changeFeed.position();
    if (changed > at - ANNOUNCED_AFTER_MS) return true;
    // If the feed had read the change, it would still be in memory.
    const isKept = changed > this.#changeFeed.oldestAt() + LONGEST_TRANSACTION_MS;
    return isKept && changed > at - LONGEST_TRANSACTION_MS;
  }

  /**
   * Whether the feed may still read a change. If it has read a change that is much later, the row was written
   * without the outbox.
   */
  #isExpected(changedAt: number): boolean {
    const { at } = this.#changeFeed.position();
    return changedAt > at - 2 * LONGEST_TRANSACTION_MS && changedAt > Date.now() - GIVE_UP_AFTER_MS;
  }

  #dropOldRows(): void {
    for (const [id, { version, changedAt }] of this.#ahead) {
      // The subscription still has to take a change that the feed has read.
      const isRead = (this.#changeFeed.versionOf(id) ?? 0) >= version;
      if (!isRead && !this.#isExpected(changedAt)) this.#ahead.delete(id);
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#ahead.size === 0) this.#aheadTimes = undefined;
  }
}

type PositionedFeed = Pick<ChangeFeed, 'position'>;

/** The last position of each feed as text, because all idle subscriptions of a feed have the same one. */
const texts = new WeakMap<PositionedFeed, { readonly position: Cursor; readonly text: string }>();

function textOf(feed: PositionedFeed): string {
  const position = feed.position();
  const last = texts.get(feed);
  if (
    last?.position.offset === position.offset &&
    last.position.epoch === position.epoch &&
    last.position.at === position.at
  ) {
    return last.text;
  }
  const text = formatCursor(position);
  texts.set(feed, { position, text });
  return text;
}
