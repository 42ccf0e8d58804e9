import {
  type ChangeFeed,
  type Cursor,
  formatCursor,
  type LoggedChange,
  type OpenedWatch,
  type SnapshotProgress,
  type SnapshotScan,
  type Watch,
} from '@gudang/change-feed';
import { LONGEST_TRANSACTION_MS } from '@gudang/postgres';
import { cursorExpired } from '@gudang/runtime';
import {
  announceSnapshot,
  onSubscriptionEnd,
  registerPosition,
  type SnapshotMarker,
  setEventTrace,
  setStartPosition,
} from '../graphql/subscription-context.ts';
import { DoubtfulRows } from './doubtful-rows.ts';
import { PositionTracker, type RowVersion } from './position-tracker.ts';

/**
 * Number of rows per page of a snapshot. The next page is read only after the subscriber has consumed the
 * current page.
 */
const SNAPSHOT_PAGE = 500;
/**
 * Safety margin in milliseconds. A snapshot also repeats the changes of this period before its position,
 * because the order of the timestamps of changes can differ from the order of their commits.
 */
const CLOCK_MARGIN_MS = LONGEST_TRANSACTION_MS + 60_000;
/**
 * Maximum age of the times `ahead` in a cursor, in milliseconds before the newest change of the feed. The
 * versions of all rows that changed since are read at once. A client that sends an older time, or a
 * forged one, receives the snapshot from its beginning, in pages.
 */
const AHEAD_LIMIT_MS = 300_000;

/** A snapshot that has begun may continue after its cursor has expired, for this time in milliseconds. */
const EXPIRED_LATER_MS = 86_400_000;

/** A row of a snapshot. */
export interface SnapshotRow<E> {
  readonly id: string;
  /** Continues the scan after this row, as `SnapshotScan.from`. */
  readonly from: string;
  /** The stored version; undefined if the row was never stored. */
  readonly stored: RowVersion | undefined;
  /** @param now the time of the snapshot's position, in milliseconds since 1970 */
  readonly toEvent: (cursor: string, now: number) => E;
}

export interface SnapshotPage<E> {
  readonly rows: readonly SnapshotRow<E>[];
  /** Continues the scan after this page; undefined if it was the last one. */
  readonly next: string | undefined;
}

/** The rows and the changes of a stream. */
export interface StreamSource<E> {
  /** The keys of the watched changes; undefined for all changes. */
  readonly keys: readonly string[] | undefined;
  /** Whether so few rows are watched that the stream keeps the versions of all of them. */
  readonly isSmall: boolean;
  /**
   * Whether a snapshot names every watched row, or only the rows that changed since its lower bound.
   * @param isCatchUp whether the stream has missed changes while it ran
   */
  readonly isComplete: (isCatchUp: boolean) => boolean;
  /**
   * Maximum age of a cursor that needs a snapshot, in milliseconds. An older cursor is answered with
   * CURSOR_EXPIRED. Unlimited if absent.
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * Reads the next rows of a snapshot, which may be in any order that `SnapshotScan.from` continues.
   * @param range.until the time of the snapshot's position, in milliseconds since 1970. Rows that changed
   *   later may be left out, because their changes follow the snapshot
   */
  readonly read: (
    scan: SnapshotScan,
    range: { readonly until: number; readonly limit: number },
  ) => Promise<SnapshotPage<E>>;
  /**
   * Reads the versions of the watched rows that changed since a time; undefined if there are too many. The
   * snapshot then begins again.
   */
  readonly versionsSince: (since: Date) => Promise<readonly RowVersion[] | undefined>;
  /** Decodes a change; undefined if the stream does not send it. */
  readonly decode: (change: LoggedChange) => ((cursor: string) => E) | undefined;
  /** Decodes the state after a change as a row of a snapshot; undefined if no snapshot names the row. */
  readonly decodeRow: (change: LoggedChange) => ((cursor: string) => E) | undefined;
}

interface StreamOptions<E> {
  /** The context of the subscription's operation. */
  readonly context: object;
  readonly source: StreamSource<E>;
  readonly changeFeed: ChangeFeed;
  readonly after: Cursor | undefined;
  /** Announces snapshots, in order with the events; to the gateway by default. */
  readonly announce?: ((marker: SnapshotMarker) => void) | undefined;
  /** Number of rows per page of a snapshot; 500 by default. */
  readonly page?: number | undefined;
}

/**
 * Yields the changes of a source, either new changes only or all changes after a cursor. If the changes
 * since the cursor are no longer in the change feed, the generator first yields a snapshot of the stored
 * rows, then newer changes. A snapshot continues after the cursor of any of its rows. Registers the
 * position of the subscription, for the gateway.
 * @throws {ServiceError} CURSOR_EXPIRED if a snapshot is needed and the cursor is older than `maxAgeMs`
 */
export async function* watchChanges<E>(options: StreamOptions<E>): AsyncGenerator<E, void> {
  const { context, changeFeed, source } = options;
  const tracker = new PositionTracker(changeFeed);
  registerPosition(context, () => tracker.read(), JSON.stringify(source.keys));
  const left = new AbortController();
  onSubscriptionEnd(context, () => left.abort());
  const { after, ahead } = await findAhead(options);
  const watch = await changeFeed.open(source.keys, after, left.signal);
  onSubscriptionEnd(context, () => watch.close());
  if (left.signal.aborted) return;
  try {
    yield* new ChangeStream({ ...options, after }, watch, tracker).send(watch, ahead);
  } finally {
    watch.close();
  }
}

/**
 * Finds the versions of the rows that the subscriber may have received before the feed had read them. If
 * these may be too many, the snapshot begins again.
 */
async function findAhead<E>({ after, changeFeed, source }: StreamOptions<E>): Promise<{
  readonly after: Cursor | undefined;
  readonly ahead: readonly RowVersion[];
}> {
  const since = after?.snapshot?.ahead?.since;
  if (!after || since === undefined) return { after, ahead: [] };
  const isOld = since < changeFeed.position().at - AHEAD_LIMIT_MS;
  // A later version of a row can have an earlier time, if its transaction waited for the row.
  const from = new Date(Math.max(0, since - LONGEST_TRANSACTION_MS));
  const ahead = isOld ? undefined : await source.versionsSince(from);
  if (ahead) return { after, ahead };
  const { stream, epoch, at } = after;
  return { after: { stream, epoch, offset: null, at }, ahead: [] };
}

class ChangeStream<E> {
  readonly #options: StreamOptions<E>;
  readonly #watch: Watch;
  readonly #tracker: PositionTracker;
  /**
   * The versions by id up to which the subscriber has received the changes. Contains the rows of the last
   * snapshot whose changes the feed may still deliver. The first newer change deletes an entry.
   */
  readonly #sentVersions = new Map<string, number>();
  #doubtful: DoubtfulRows | undefined;
  /** Whether the beginning of a snapshot of doubtful rows was announced, and not its end. */
  #isRepeating = false;
  #epoch: string;
  /** Time before the changes that the subscriber has not received yet, in milliseconds since 1970. */
  #since: number;
  /** The offset before which a row of the last snapshot may contain changes of the feed. */
  #settledAt: number;

  constructor(options: StreamOptions<E>, watch: Watch, tracker: PositionTracker) {
    const { after, changeFeed } = options;
    this.#options = options;
    this.#watch = watch;
    this.#tracker = tracker;
    this.#epoch = changeFeed.position().epoch;
    this.#since = after?.at ?? 0;
    this.#settledAt = after?.snapshot?.seen ?? 0;
  }

  /** @param ahead see `DoubtfulRows` */
  async *send(opened: OpenedWatch, ahead: readonly RowVersion[]): AsyncGenerator<E, void> {
    const { after } = this.#options;
    if (after) yield* this.#resume(after, opened, ahead);
    for (;;) {
      if (this.#isRepeating && !this.#doubtful?.hasReplayed) this.#endRepetition();
      this.#tracker.setIdle(true);
      const watched = await this.#watch.next();
      this.#tracker.setIdle(false);
      if (watched === undefined) return;
      if (watched === 'missed') {
        yield* this.#catchUp();
        continue;
      }
      this.#tracker.advance(watched);
      const event = this.#isSent(watched) ? undefined : this.#toEvent(watched);
      if (event !== undefined) yield event;
    }
  }

  /** Whether a change was sent in a row of the last snapshot. */
  #isSent({ key, version }: LoggedChange): boolean {
    const sent = this.#sentVersions.get(key);
    if (sent === undefined) return false;
    if (version <= sent) return true;
    this.#sentVersions.delete(key);
    return false;
  }

  /** Returns the event of a change; undefined if the stream does not send it. */
  #toEvent(change: LoggedChange): E | undefined {
    const { changeFeed, context, source } = this.#options;
    const doubt = this.#doubtful?.take(change) ?? 'new';
    if (doubt === 'older') return undefined;
    this.#since = Math.max(this.#since, change.at);
    const isRow = doubt === 'row';
    const toEvent = isRow ? source.decodeRow(change) : source.decode(change);
    if (!toEvent) return undefined;
    if (isRow && !this.#isRepeating) this.#beginRepetition('begin');
    if (!isRow && this.#isRepeating) this.#endRepetition();
    setEventTrace(context, isRow ? undefined : change.traceparent);
    return toEvent(this.#cursorAfter(changeFeed.cursorAfter(change)));
  }

  /** @param ahead see `DoubtfulRows` */
  async *#resume(
    after: Cursor,
    opened: OpenedWatch,
    ahead: readonly RowVersion[],
  ): AsyncGenerator<E, void> {
    const { changeFeed, context } = this.#options;
    const { snapshot } = after;
    const isLost = opened.start === 'snapshot';
    if (isLost && !(snapshot && this.#canContinue(after, snapshot))) {
      yield* this.#beginAfter(after);
      return;
    }
    if (!snapshot) {
      setStartPosition(context, formatCursor(after));
      return;
    }
    const { isRepetition, scan } = snapshot;
    const feeds = { changeFeed, tracker: this.#tracker };
    this.#doubtful = new DoubtfulRows(snapshot, opened, ahead, feeds);
    this.#settledAt = this.#doubtful.settledAt;
    if (scan) {
      this.#assertRecent(scan.since + EXPIRED_LATER_MS);
      yield* this.#scan({ ...after, offset: after.offset ?? 0 }, scan, 'continue');
    }
    if (isLost) yield* this.#catchUp();
    else if (isRepetition) {
      // The subscriber may have received the end already.
      this.#beginRepetition(this.#doubtful.hasReplayed ? 'begin' : 'continue');
    } else if (!scan && this.#doubtful.size === 0) {
      setStartPosition(context, formatCursor(after));
    }
  }

  /** Whether the rows that were sent are not newer than what the feed has read, except those in `ahead`. */
  #canContinue({ epoch }: Cursor, { seen }: SnapshotProgress): boolean {
    return epoch === this.#epoch && seen <= this.#offset;
  }

  async *#beginAfter(after: Cursor): AsyncGenerator<E, void> {
    this.#assertRecent(after.at);
    yield* this.#begin({ reset: after.epoch !== this.#epoch, since: after.at });
  }

  #assertRecent(time: number): void {
    const { maxAgeMs = Number.POSITIVE_INFINITY } = this.#options.source;
    if (time < Date.now() - maxAgeMs) throw cursorExpired(maxAgeMs);
  }

  /** Continues after changes were missed: with those rows that changed since, if possible. */
  async *#catchUp(): AsyncGenerator<E, void> {
    const { epoch } = this.#options.changeFeed.position();
    const since = Math.max(this.#since, this.#watch.missedSince());
    const reset = epoch !== this.#epoch;
    yield* this.#begin({ reset, since, isCatchUp: !reset });
  }

  /** @param since time before the changes that the subscriber has not received yet */
  async *#begin({
    reset,
    since,
    isCatchUp = false,
  }: {
    reset: boolean;
    since: number;
    isCatchUp?: boolean;
  }): AsyncGenerator<E, void> {
    const { changeFeed, source } = this.#options;
    const position = changeFeed.position();
    this.#epoch = position.epoch;
    this.#sentVersions.clear();
    this.#doubtful = undefined;
    this.#isRepeating = false;
    yield* this.#scan(
      { ...position, offset: position.offset ?? 0 },
      {
        isComplete: source.isComplete(isCatchUp),
        since: Math.max(0, since - CLOCK_MARGIN_MS),
      },
      'begin',
      reset,
    );
  }

  /**
   * Sends the rest of a snapshot.
   * @param position the position at which the snapshot began
   */
  async *#scan(
    position: Cursor & { readonly offset: number },
    scan: SnapshotScan,
    phase: 'begin' | 'continue',
    reset = false,
  ): AsyncGenerator<E, void> {
    const { context, page: limit = SNAPSHOT_PAGE, source } = this.#options;
    const complete = scan.isComplete;
    setEventTrace(context, undefined);
    this.#tracker.beginSnapshot();
    this.#announce({ phase, complete, reset });
    for (let rest = scan.isOver ? undefined : scan; rest; ) {
      const page: SnapshotPage<E> = await source.read(rest, { until: position.at, limit });
      this.#tracker.dropRead();
      for (const row of page.rows) this.#addRow(row);
      const seen = this.#offset;
      const ahead = aheadOf(this.#tracker);
      const last = page.next === undefined ? page.rows.at(-1) : undefined;
      for (const row of page.rows) {
        const sent = { ...scan, from: row.from, ...(row === last && { isOver: true as const }) };
        const snapshot = { scan: sent, seen, ...ahead };
        yield row.toEvent(formatCursor({ ...position, snapshot }), position.at);
      }
      rest = page.next === undefined ? undefined : { ...scan, from: page.next };
    }
    this.#since = position.at;
    this.#settledAt = this.#offset;
    this.#tracker.endSnapshot();
    this.#announce({ phase: 'end', complete, reset: false });
  }

  /** Begins or continues a snapshot of doubtful rows. */
  #beginRepetition(phase: 'begin' | 'continue'): void {
    this.#isRepeating = true;
    this.#tracker.beginSnapshot();
    this.#announce({ phase, complete: false, reset: false });
  }

  #endRepetition(): void {
    this.#isRepeating = false;
    this.#tracker.endSnapshot();
    this.#announce({ phase: 'end', complete: false, reset: false });
  }

  #announce(marker: SnapshotMarker): void {
    const { announce, context } = this.#options;
    if (announce) announce(marker);
    else announceSnapshot(context, marker);
  }

  get #offset(): number {
    return this.#options.changeFeed.position().offset ?? 0;
  }

  #addRow({ id, stored }: SnapshotRow<E>): void {
    this.#doubtful?.delete(id);
    const mayRepeat = stored ? this.#tracker.addRow(stored) : true;
    // A small stream keeps all versions, because the feed may have forgotten a pending change.
    if (mayRepeat || this.#options.source.isSmall) {
      this.#sentVersions.set(id, stored?.version ?? 0);
    }
  }

  /** Until the feed has reached the end of the snapshot, a cursor remembers what the rows contain. */
  #cursorAfter(position: Cursor): string {
    const ahead = aheadOf(this.#tracker);
    const isSettled = (position.offset ?? 0) >= this.#settledAt && ahead.ahead === undefined;
    if (isSettled && !this.#isRepeating) return formatCursor(position);
    const progress: SnapshotProgress = { seen: this.#settledAt, ...ahead };
    return formatCursor({
      ...position,
      snapshot: this.#isRepeating ? { ...progress, isRepetition: true } : progress,
    });
  }
}

function aheadOf({ ahead }: PositionTracker): Pick<SnapshotProgress, 'ahead'> {
  return ahead === undefined ? {} : { ahead };
}
