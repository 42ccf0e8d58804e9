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
 * Maximum age of `aheadSince` in a cursor, in milliseconds before the newest change of the feed. The
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
  const after = restartIfOld(options.after, changeFeed.position().at);
  const left = new AbortController();
  onSubscriptionEnd(context, () => left.abort());
  const watch = await changeFeed.open(source.keys, after, left.signal);
  onSubscriptionEnd(context, () => watch.close());
  if (left.signal.aborted) return;
  try {
    yield* new ChangeStream({ ...options, after }, watch, tracker).send(watch);
  } finally {
    watch.close();
  }
}

function restartIfOld(after: Cursor | undefined, newestAt: number): Cursor | undefined {
  const aheadSince = after?.snapshot?.aheadSince;
  if (!after || aheadSince === undefined || aheadSince >= newestAt - AHEAD_LIMIT_MS) return after;
  return { stream: after.stream, epoch: after.epoch, offset: null, at: after.at };
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

  async *send(opened: OpenedWatch): AsyncGenerator<E, void> {
    const { after, changeFeed, context, source } = this.#options;
    if (after) yield* this.#resume(after, opened);
    for (;;) {
      this.#tracker.setIdle(true);
      const watched = await this.#watch.next();
      this.#tracker.setIdle(false);
      if (watched === undefined) return;
      if (watched === 'missed') {
        yield* this.#catchUp();
        continue;
      }
      const { key, version } = watched;
      this.#tracker.advance(watched);
      const sent = this.#sentVersions.get(key);
      if (sent !== undefined) {
        if (version <= sent) continue;
        this.#sentVersions.delete(key);
      }
      this.#since = Math.max(this.#since, watched.at);
      const toEvent = source.decode(watched);
      if (!toEvent) continue;
      setEventTrace(context, watched.traceparent);
      yield toEvent(this.#cursorAfter(changeFeed.cursorAfter(watched)));
    }
  }

  async *#resume(after: Cursor, { start, contained }: OpenedWatch): AsyncGenerator<E, void> {
    const { snapshot } = after;
    const isLost = start === 'snapshot';
    if (!snapshot) {
      if (isLost) yield* this.#beginAfter(after);
      else setStartPosition(this.#options.context, formatCursor(after));
      return;
    }
    if (isLost && !this.#canContinue(after, snapshot)) {
      yield* this.#beginAfter(after);
      return;
    }
    if (!(await this.#restoreVersions(snapshot, contained))) {
      yield* this.#beginAfter(after);
      return;
    }
    const { scan } = snapshot;
    if (scan) this.#assertRecent(scan.since + EXPIRED_LATER_MS);
    if (scan) yield* this.#scan({ ...after, offset: after.offset ?? 0 }, scan, 'continue');
    else if (!isLost) setStartPosition(this.#options.context, formatCursor(after));
    if (isLost) yield* this.#catchUp();
  }

  /** Whether the rows that were sent are not newer than what the feed has read, except `aheadSince`. */
  #canContinue({ epoch }: Cursor, { seen }: SnapshotProgress): boolean {
    return epoch === this.#epoch && seen <= this.#offset;
  }

  /**
   * Restores the versions that an earlier subscription has sent, as far as changes may repeat them.
   * @returns false if there are too many of them
   */
  async #restoreVersions(
    { aheadSince }: SnapshotProgress,
    contained: ReadonlyMap<string, number> | undefined,
  ): Promise<boolean> {
    // The newest one is sent again, because the subscriber may have received any earlier one.
    for (const [id, version] of contained ?? []) this.#sentVersions.set(id, version - 1);
    if (aheadSince === undefined) return true;
    const rows = await this.#options.source.versionsSince(new Date(aheadSince));
    for (const row of rows ?? []) {
      this.#tracker.addRow(row);
      this.#sentVersions.set(row.id, row.version - 1);
    }
    // This replica may have read more of these changes than the earlier one.
    this.#settledAt = Math.max(this.#settledAt, this.#offset);
    return rows !== undefined;
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
    for (let rest: SnapshotScan | undefined = scan; rest; ) {
      const page: SnapshotPage<E> = await source.read(rest, { until: position.at, limit });
      this.#tracker.dropRead();
      for (const row of page.rows) this.#addRow(row);
      const seen = this.#offset;
      const ahead = aheadOf(this.#tracker);
      for (const { from, toEvent } of page.rows) {
        const snapshot = { scan: { ...scan, from }, seen, ...ahead };
        yield toEvent(formatCursor({ ...position, snapshot }), position.at);
      }
      rest = page.next === undefined ? undefined : { ...scan, from: page.next };
    }
    this.#since = position.at;
    this.#settledAt = this.#offset;
    this.#tracker.endSnapshot();
    this.#announce({ phase: 'end', complete, reset: false });
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
    const mayRepeat = stored ? this.#tracker.addRow(stored) : true;
    // A small stream keeps all versions, because the feed may have forgotten a pending change.
    if (mayRepeat || this.#options.source.isSmall) {
      this.#sentVersions.set(id, stored?.version ?? 0);
    }
  }

  /** Until the feed has reached the end of the snapshot, a cursor remembers what the rows contain. */
  #cursorAfter(position: Cursor): string {
    const ahead = aheadOf(this.#tracker);
    const isSettled = (position.offset ?? 0) >= this.#settledAt && ahead.aheadSince === undefined;
    return formatCursor(
      isSettled ? position : { ...position, snapshot: { seen: this.#settledAt, ...ahead } },
    );
  }
}

function aheadOf({ aheadSince }: PositionTracker): Pick<SnapshotProgress, 'aheadSince'> {
  return aheadSince === undefined ? {} : { aheadSince };
}
