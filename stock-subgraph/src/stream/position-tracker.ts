import { type ChangeFeed, formatCursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Position } from '@gudang/subgraph';

/** A row that is older than the newest change by this time, in milliseconds, was announced before it. */
const ANNOUNCED_AFTER_MS = 1_000;
/** A row without a change after this time, in milliseconds, was written without the outbox. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * The position of one subscription in the change feed, for the gateway's position reports.
 *
 * States: *in a snapshot* (no position) between `beginSnapshot` and `endSnapshot`; *ahead* (no position)
 * while the subscriber has seen a row whose change the feed has not read yet; *idle*, where the position
 * is that of the feed; otherwise *busy*, where the position is unknown at the moment.
 */
export interface PositionTracker {
  /** Returns the position; see `Position`. */
  readonly read: () => Position;
  /** Sets whether the subscription waits for the next change. */
  readonly setIdle: (idle: boolean) => void;
  readonly beginSnapshot: () => void;
  /** Adds a row of the snapshot. */
  readonly addRow: (stock: Pick<StockState, 'id' | 'version' | 'updatedAt'>) => void;
  readonly endSnapshot: () => void;
  /** Notes a change that was taken from the feed. */
  readonly advance: (change: { readonly key: string; readonly version: number }) => void;
}

/**
 * Creates a tracker. A snapshot may contain a row whose change the feed has not read yet. Until it has, the
 * subscriber is ahead of the feed's position: a client that resumed from there would see an older state.
 * @param onLost called when a snapshot begins
 */
export function createPositionTracker(
  changeFeed: Pick<ChangeFeed, 'position' | 'versionOf'>,
  onLost: () => void = () => {},
): PositionTracker {
  const ahead = new Map<string, { version: number; updatedAt: number }>();
  let inSnapshot = false;
  let isIdle = false;

  const dropOldRows = (): void => {
    const oldest = Date.now() - GIVE_UP_AFTER_MS;
    for (const [id, { updatedAt }] of ahead) if (updatedAt < oldest) ahead.delete(id);
  };

  return {
    read: () => {
      if (ahead.size > 0) dropOldRows();
      if (inSnapshot || ahead.size > 0) return null;
      return isIdle ? formatCursor(changeFeed.position()) : undefined;
    },
    setIdle: (idle) => {
      isIdle = idle;
    },
    beginSnapshot: () => {
      inSnapshot = true;
      ahead.clear();
      onLost();
    },
    addRow: ({ id, version, updatedAt }) => {
      const read = changeFeed.versionOf(id);
      const newest = changeFeed.position().at;
      const isAhead =
        read === undefined ? updatedAt.getTime() > newest - ANNOUNCED_AFTER_MS : version > read;
      if (isAhead) ahead.set(id, { version, updatedAt: updatedAt.getTime() });
    },
    endSnapshot: () => {
      inSnapshot = false;
    },
    advance: ({ key, version }) => {
      const row = ahead.get(key);
      if (row && version >= row.version) ahead.delete(key);
    },
  };
}
