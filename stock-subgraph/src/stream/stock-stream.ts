import {
  type ChangeFeed,
  type Cursor,
  formatCursor,
  type OpenedWatch,
  type SnapshotProgress,
  type SnapshotScan,
  type Watch,
} from '@gudang/change-feed';
import { decodeStockChanged, type StockChangeKind, type StockState } from '@gudang/events';
import {
  onSubscriptionEnd,
  type SnapshotMarker,
  setEventTrace,
  setStartPosition,
} from '@gudang/subgraph';
import type { PositionTracker } from './position-tracker.ts';
import type { StoredStock, StoredStocks } from './stored-stocks.ts';

/** A change, in the form that a subscriber receives. */
export interface SentChange {
  readonly kind: StockChangeKind | 'SNAPSHOT';
  readonly stock: StockState;
  readonly delta: number;
  readonly orderId: string | null;
  readonly cursor: string;
  readonly at: Date;
}

/**
 * Number of rows per page of a snapshot. The next page is read only after the subscriber has consumed the
 * current page.
 */
const SNAPSHOT_PAGE = 500;
/**
 * Safety margin in milliseconds. A snapshot also repeats the changes of this period before its position,
 * because the order of the timestamps of changes can differ from the order of their commits.
 */
const CLOCK_MARGIN_MS = 60_000;
/**
 * Maximum age of `aheadSince` in a cursor, in milliseconds before the newest change of the feed. The
 * versions of all stocks that changed since are read at once. A client that sends an older time, or a
 * forged one, receives the snapshot from its beginning, in pages.
 */
const AHEAD_LIMIT_MS = 300_000;

interface StreamOptions {
  /** The context of the subscription's operation. */
  readonly context: object;
  readonly stored: StoredStocks;
  readonly changeFeed: ChangeFeed;
  /** The ids of the watched stocks; undefined for all stocks. */
  readonly ids: readonly string[] | undefined;
  readonly after: Cursor | undefined;
  readonly tracker: PositionTracker;
  /** Announces snapshots, in order with the changes. */
  readonly announce: (marker: SnapshotMarker) => void;
  /** Number of rows per page of a snapshot; 500 by default. */
  readonly page?: number;
}

/**
 * Yields the changes of some or all stocks, either new changes only or all changes after a cursor. If the
 * changes since the cursor are no longer in the change feed, the generator first yields a snapshot of the
 * current state, then newer changes. A snapshot continues after the cursor of any of its rows.
 */
export async function* watchStocks(options: StreamOptions): AsyncGenerator<SentChange, void> {
  const { context, changeFeed, ids } = options;
  const after = restartIfOld(options.after, changeFeed.position().at);
  const left = new AbortController();
  onSubscriptionEnd(context, () => left.abort());
  const watch = await changeFeed.open(ids, after, left.signal);
  onSubscriptionEnd(context, () => watch.close());
  if (left.signal.aborted) return;
  try {
    yield* new StockStream({ ...options, after }, watch).send(watch);
  } finally {
    watch.close();
  }
}

function restartIfOld(after: Cursor | undefined, newestAt: number): Cursor | undefined {
  const aheadSince = after?.snapshot?.aheadSince;
  if (!after || aheadSince === undefined || aheadSince >= newestAt - AHEAD_LIMIT_MS) return after;
  return { epoch: after.epoch, offset: null, at: after.at };
}

class StockStream {
  readonly #options: StreamOptions;
  readonly #watch: Watch;
  readonly #tracker: PositionTracker;
  /**
   * The versions by stock id up to which the subscriber has received the changes. Contains the rows of the
   * last snapshot whose changes the feed may still deliver. The first newer change deletes an entry.
   */
  readonly #sentVersions = new Map<string, number>();
  #epoch: string;
  /** Time before the changes that the subscriber has not received yet, in milliseconds since 1970. */
  #since: number;
  /** The offset before which a row of the last snapshot may contain changes of the feed. */
  #settledAt: number;

  constructor(options: StreamOptions, watch: Watch) {
    const { after, changeFeed, tracker } = options;
    this.#options = options;
    this.#watch = watch;
    this.#tracker = tracker;
    this.#epoch = changeFeed.position().epoch;
    this.#since = after?.at ?? 0;
    this.#settledAt = after?.snapshot?.seen ?? 0;
  }

  async *send(opened: OpenedWatch): AsyncGenerator<SentChange, void> {
    const { after } = this.#options;
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
      const change = decodeStockChanged(watched.value);
      const cursor = this.#cursorAfter(this.#options.changeFeed.cursorAfter(watched));
      setEventTrace(this.#options.context, watched.traceparent);
      yield { ...change, cursor, at: change.stock.updatedAt };
    }
  }

  async *#resume(
    after: Cursor,
    { start, contained }: OpenedWatch,
  ): AsyncGenerator<SentChange, void> {
    const { snapshot } = after;
    const isLost = start === 'snapshot';
    if (!snapshot) {
      if (isLost) yield* this.#begin(after.epoch !== this.#epoch);
      else setStartPosition(this.#options.context, formatCursor(after));
      return;
    }
    if (isLost && !this.#canContinue(after, snapshot)) {
      yield* this.#begin(after.epoch !== this.#epoch);
      return;
    }
    await this.#restoreVersions(snapshot, contained);
    const { scan } = snapshot;
    if (scan) yield* this.#scan({ ...after, offset: after.offset ?? 0 }, scan, 'continue');
    else if (!isLost) setStartPosition(this.#options.context, formatCursor(after));
    if (isLost) yield* this.#catchUp();
  }

  /** Whether the rows that were sent are not newer than what the feed has read, except `aheadSince`. */
  #canContinue({ epoch }: Cursor, { seen }: SnapshotProgress): boolean {
    return epoch === this.#epoch && seen <= this.#offset;
  }

  /** Restores the versions that an earlier subscription has sent, as far as changes may repeat them. */
  async #restoreVersions(
    { aheadSince }: SnapshotProgress,
    contained: ReadonlyMap<string, number> | undefined,
  ): Promise<void> {
    // The newest one is sent again, because the subscriber may have received any earlier one.
    for (const [id, version] of contained ?? []) this.#sentVersions.set(id, version - 1);
    if (aheadSince === undefined) return;
    const { ids, stored } = this.#options;
    for (const row of await stored.versionsSince(ids, new Date(aheadSince))) {
      this.#tracker.addRow(row);
      this.#sentVersions.set(row.id, row.version - 1);
    }
    // This replica may have read more of these changes than the earlier one.
    this.#settledAt = Math.max(this.#settledAt, this.#offset);
  }

  /** Continues after changes were missed: with those stocks that changed since, if possible. */
  async *#catchUp(): AsyncGenerator<SentChange, void> {
    const { epoch } = this.#options.changeFeed.position();
    if (epoch !== this.#epoch) yield* this.#begin(true);
    else yield* this.#begin(false, this.#since);
  }

  /** @param since sends only the stocks that changed since this time */
  async *#begin(reset: boolean, since?: number): AsyncGenerator<SentChange, void> {
    const { changeFeed, ids } = this.#options;
    const position = changeFeed.position();
    this.#epoch = position.epoch;
    this.#sentVersions.clear();
    yield* this.#scan(
      { ...position, offset: position.offset ?? 0 },
      {
        isComplete: since === undefined || ids !== undefined,
        since: Math.max(0, (since ?? this.#since) - CLOCK_MARGIN_MS),
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
  ): AsyncGenerator<SentChange, void> {
    const { announce, context, ids, page: size = SNAPSHOT_PAGE, stored } = this.#options;
    const complete = scan.isComplete;
    setEventTrace(context, undefined);
    this.#tracker.beginSnapshot();
    announce({ phase, complete, reset });
    for (let rest = scan, isLast = false; !isLast; ) {
      const read = await stored.read(ids, rest, size + 1);
      const page = ids ? read : read.slice(0, size);
      isLast = page.length === read.length;
      this.#tracker.dropRead();
      for (const { id, row } of page) if (row || ids) this.#addRow(id, row);
      const seen = this.#offset;
      const ahead = aheadOf(this.#tracker);
      for (const stock of page) {
        rest = { ...scan, from: stock.id };
        const cursor = formatCursor({ ...position, snapshot: { scan: rest, seen, ...ahead } });
        yield toChange(stock, cursor, position.at);
      }
    }
    this.#since = position.at;
    this.#settledAt = this.#offset;
    this.#tracker.endSnapshot();
    announce({ phase: 'end', complete, reset: false });
  }

  get #offset(): number {
    return this.#options.changeFeed.position().offset ?? 0;
  }

  #addRow(id: string, row: StoredStock['row']): void {
    const mayRepeat = row ? this.#tracker.addRow(row) : true;
    // Few stocks are watched by id, so all of them are kept: the feed may have forgotten a pending change.
    if (mayRepeat || this.#options.ids) this.#sentVersions.set(id, row?.version ?? 0);
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

/**
 * Converts a row to a change. A stock that was never stored counts as deleted: a database that was
 * restored to an earlier time does not contain the stocks that were added later.
 */
function toChange({ id, row }: StoredStock, cursor: string, now: number): SentChange {
  const sent = { delta: 0, orderId: null, cursor };
  if (row) {
    const { deletedAt, ...stock } = row;
    return { ...sent, kind: deletedAt ? 'DELETED' : 'SNAPSHOT', stock, at: stock.updatedAt };
  }
  const at = new Date(now);
  const stock = { id, name: '', quantity: 0, version: 0, createdAt: at, updatedAt: at };
  return { ...sent, kind: 'DELETED', stock, at };
}
