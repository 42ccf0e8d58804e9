import { type Cursor, type Feed, formatCursor } from '@gudang/change-feed';
import { decodeStockChanged, type StockChangeKind, type StockState } from '@gudang/events';
import { setEventTrace } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { findStocksById } from '../stocks/find-stocks.ts';
import { createStreamPlace, type StreamPlace } from './position-tracker.ts';

/** A change as a subscriber sees it. */
export interface ShownChange {
  readonly kind: StockChangeKind | 'SNAPSHOT';
  readonly stock: StockState;
  readonly delta: number;
  readonly orderId: string | null;
  readonly cursor: string;
  readonly at: Date;
}

/** Rows read at once for a snapshot: the next are read when the subscriber has taken these. */
const SNAPSHOT_PAGE = 500;
/** Commit order is not clock order: deletions so much older than the cursor are shown again. */
const CLOCK_MARGIN_MS = 60_000;

/**
 * The changes of some stocks, or of all: from now on, or from a cursor on. A cursor out of reach
 * brings the stored state first, then what is newer than it.
 */
export async function* watchStocks(
  context: { readonly database: Database; readonly feed: Feed },
  { ids, after }: { ids: readonly string[] | undefined; after: Cursor | undefined },
  place: StreamPlace = createStreamPlace(context.feed),
): AsyncGenerator<ShownChange, void> {
  const { database, feed } = context;
  const watch = await feed.open(ids, after);
  /** The versions that a snapshot has shown; an entry goes with the first newer change. */
  const shown = new Map<string, number>();
  let since = after?.at ?? 0;

  async function* snapshot(): AsyncGenerator<ShownChange, void> {
    const position = feed.position();
    shown.clear();
    setEventTrace(context, undefined);
    place.lose();
    for await (const change of readSnapshot(database, { ids, since, end: position })) {
      shown.set(change.stock.id, change.stock.version);
      place.show(change.stock);
      yield change;
    }
    place.find();
    since = position.at;
  }

  try {
    if (watch.start === 'snapshot') yield* snapshot();
    for (;;) {
      place.wait(true);
      const watched = await watch.next();
      place.wait(false);
      if (watched === undefined) return;
      if (watched === 'missed') {
        yield* snapshot();
        continue;
      }
      place.pass(watched);
      const showed = shown.get(watched.key);
      if (showed !== undefined) {
        if (watched.version <= showed) continue;
        shown.delete(watched.key);
      }
      since = Math.max(since, watched.at);
      const change = decodeStockChanged(watched.value);
      const cursor = formatCursor(feed.cursorAfter(watched));
      setEventTrace(context, watched.traceparent);
      yield { ...change, cursor, at: change.stock.updatedAt };
    }
  } finally {
    watch.close();
  }
}

/**
 * The stored state as changes. Until the last of them each carries a cursor that starts the
 * snapshot again; the last one carries the live position.
 */
async function* readSnapshot(
  database: Database,
  { ids, since, end }: { ids: readonly string[] | undefined; since: number; end: Cursor },
): AsyncGenerator<ShownChange, void> {
  const again = formatCursor({ ...end, offset: null, at: since });
  const deletedSince = new Date(Math.max(0, since - CLOCK_MARGIN_MS));
  let from: string | undefined;
  for (;;) {
    const read = { ids, from, deletedSince, limit: SNAPSHOT_PAGE + 1 };
    const rows = await findStocksById(database, read);
    const page = rows.slice(0, SNAPSHOT_PAGE);
    const isLast = rows.length <= SNAPSHOT_PAGE;
    for (const [index, { deletedAt, ...stock }] of page.entries()) {
      const atEnd = isLast && index === page.length - 1;
      yield {
        kind: deletedAt === null ? 'SNAPSHOT' : 'DELETED',
        stock,
        delta: 0,
        orderId: null,
        cursor: atEnd ? formatCursor(end) : again,
        at: stock.updatedAt,
      };
    }
    if (isLast) return;
    from = page.at(-1)?.id;
  }
}
