import type { ChangeFeed, Cursor, SnapshotScan } from '@gudang/change-feed';
import {
  decodeStockChanged,
  type StockChanged,
  type StockChangeKind,
  type StockState,
} from '@gudang/events';
import {
  type SnapshotMarker,
  type SnapshotRow,
  type StreamSource,
  watchChanges,
} from '@gudang/subgraph';
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

interface StreamOptions {
  /** The context of the subscription's operation. */
  readonly context: object;
  readonly stored: StoredStocks;
  readonly changeFeed: ChangeFeed;
  /** The ids of the watched stocks; undefined for all stocks. */
  readonly ids: readonly string[] | undefined;
  /** Yields only the changes whose quantity before or after is at most this; by default all changes. */
  readonly quantityAtMost?: number | undefined;
  /** Maximum age of a cursor that needs a snapshot of changed stocks, in milliseconds; unlimited by default. */
  readonly maxAgeMs?: number;
  readonly after: Cursor | undefined;
  /** Announces snapshots, in order with the changes; to the gateway by default. */
  readonly announce?: (marker: SnapshotMarker) => void;
  /** Number of rows per page of a snapshot; 500 by default. */
  readonly page?: number;
}

/**
 * Yields the changes of some or all stocks, either new changes only or all changes after a cursor; see
 * `watchChanges`. A snapshot names every stock, and the stocks that were deleted since the cursor. With
 * `quantityAtMost`, it names every stock that changed since the cursor, with any quantity: its quantity
 * before is not known, and the subscriber must learn that a stock left the range.
 * @throws {ServiceError} CURSOR_EXPIRED if such a snapshot is needed and the cursor is older than `maxAgeMs`
 */
export function watchStocks(options: StreamOptions): AsyncGenerator<SentChange, void> {
  const { context, changeFeed, after, announce, page } = options;
  return watchChanges({
    context,
    changeFeed,
    after,
    announce,
    page,
    source: createSource(options),
  });
}

function createSource({
  stored,
  ids,
  quantityAtMost,
  maxAgeMs,
}: StreamOptions): StreamSource<SentChange> {
  const isWhole = ids !== undefined || quantityAtMost === undefined;
  return {
    keys: ids,
    isSmall: ids !== undefined,
    isComplete: (isCatchUp) => ids !== undefined || (!isCatchUp && isWhole),
    maxAgeMs: isWhole ? undefined : maxAgeMs,
    read: async (scan: SnapshotScan, { limit }) => {
      const found = await stored.read(ids, scan, limit + 1);
      const isLast = ids !== undefined || found.length <= limit;
      const page = isLast ? found : found.slice(0, limit);
      return { rows: page.map(toSnapshotRow), next: isLast ? undefined : page.at(-1)?.id };
    },
    versionsSince: async (since) => {
      const rows = await stored.versionsSince(ids, since);
      return rows.map(({ id, version, updatedAt }) => ({ id, version, changedAt: updatedAt }));
    },
    decode: ({ value }) => {
      const change = decodeStockChanged(value);
      if (quantityAtMost !== undefined && !isLow(change, quantityAtMost)) return undefined;
      return (cursor) => ({ ...change, cursor, at: change.stock.updatedAt });
    },
    decodeRow: ({ value }) => {
      const { kind, stock } = decodeStockChanged(value);
      const sent = { delta: 0, orderId: null, stock, at: stock.updatedAt };
      return (cursor) => ({ ...sent, kind: kind === 'DELETED' ? kind : 'SNAPSHOT', cursor });
    },
  };
}

/** Whether the quantity before or after a change is at most `most`. A new stock has no quantity before. */
function isLow({ kind, stock, delta }: StockChanged, most: number): boolean {
  // The event of a deletion contains the quantity before.
  if (stock.quantity <= most) return true;
  return kind !== 'CREATED' && kind !== 'DELETED' && stock.quantity - delta <= most;
}

function toSnapshotRow(stored: StoredStock): SnapshotRow<SentChange> {
  const { id, row } = stored;
  return {
    id,
    from: id,
    stored: row && { id, version: row.version, changedAt: row.updatedAt },
    toEvent: (cursor, now) => toChange(stored, cursor, now),
  };
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
