import { type ChangeFeed, type Cursor, formatCursor } from '@gudang/change-feed';
import { decodeStockChanged, type StockChangeKind, type StockState } from '@gudang/events';
import { onSubscriptionEnd, setEventTrace, setStartPosition } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { findStocksById } from '../stocks/find-stocks.ts';
import { createPositionTracker, type PositionTracker } from './position-tracker.ts';

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
 * Safety margin in milliseconds. A snapshot also repeats the deletions of this period before the cursor,
 * because the order of the timestamps of changes can differ from the order of their commits.
 */
const CLOCK_MARGIN_MS = 60_000;

/**
 * Yields the changes of some or all stocks, either new changes only or all changes after a cursor. If the
 * changes since the cursor are no longer in the change feed, the generator first yields a snapshot of the
 * current state, then newer changes.
 */
export async function* watchStocks(
  context: { readonly database: Database; readonly changeFeed: ChangeFeed },
  { ids, after }: { ids: readonly string[] | undefined; after: Cursor | undefined },
  tracker: PositionTracker = createPositionTracker(context.changeFeed),
): AsyncGenerator<SentChange, void> {
  const { database, changeFeed } = context;
  const watch = await changeFeed.open(ids, after);
  onSubscriptionEnd(context, () => watch.close());
  /**
   * The versions that the last snapshot contained, by stock id. The first newer change of a stock deletes
   * its entry.
   */
  const sentVersions = new Map<string, number>();
  let since = after?.at ?? 0;

  async function* snapshot(): AsyncGenerator<SentChange, void> {
    const position = changeFeed.position();
    sentVersions.clear();
    setEventTrace(context, undefined);
    tracker.beginSnapshot();
    for await (const change of readSnapshot(database, { ids, since, end: position })) {
      sentVersions.set(change.stock.id, change.stock.version);
      tracker.addRow(change.stock);
      yield change;
    }
    tracker.endSnapshot();
    since = position.at;
  }

  try {
    if (watch.start === 'snapshot') yield* snapshot();
    else if (after) setStartPosition(context, formatCursor(after));
    for (;;) {
      tracker.setIdle(true);
      const watched = await watch.next();
      tracker.setIdle(false);
      if (watched === undefined) return;
      if (watched === 'missed') {
        yield* snapshot();
        continue;
      }
      tracker.advance(watched);
      const sent = sentVersions.get(watched.key);
      if (sent !== undefined) {
        if (watched.version <= sent) continue;
        sentVersions.delete(watched.key);
      }
      since = Math.max(since, watched.at);
      const change = decodeStockChanged(watched.value);
      const cursor = formatCursor(changeFeed.cursorAfter(watched));
      setEventTrace(context, watched.traceparent);
      yield { ...change, cursor, at: change.stock.updatedAt };
    }
  } finally {
    watch.close();
  }
}

/**
 * Yields the current state as changes. A client that resumes from the cursor of the last of these changes
 * receives the changes after the snapshot. A client that resumes from an earlier cursor receives the
 * snapshot again.
 */
async function* readSnapshot(
  database: Database,
  { ids, since, end }: { ids: readonly string[] | undefined; since: number; end: Cursor },
): AsyncGenerator<SentChange, void> {
  const restart = formatCursor({ ...end, offset: null, at: since });
  const deletedSince = new Date(Math.max(0, since - CLOCK_MARGIN_MS));
  let from: string | undefined;
  for (;;) {
    const read = { ids, from, deletedSince, limit: SNAPSHOT_PAGE + 1 };
    const rows = await findStocksById(database, read);
    const page = rows.slice(0, SNAPSHOT_PAGE);
    const isLast = rows.length <= SNAPSHOT_PAGE;
    for (const [index, { deletedAt, ...stock }] of page.entries()) {
      const isLastRow = isLast && index === page.length - 1;
      yield {
        kind: deletedAt === null ? 'SNAPSHOT' : 'DELETED',
        stock,
        delta: 0,
        orderId: null,
        cursor: isLastRow ? formatCursor(end) : restart,
        at: stock.updatedAt,
      };
    }
    if (isLast) return;
    from = page.at(-1)?.id;
  }
}
