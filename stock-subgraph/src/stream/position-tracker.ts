import { type ChangeFeed, formatCursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Position } from '@gudang/subgraph';

/** If a row is this much older than the newest change, in milliseconds, its own change was sent before. */
const ANNOUNCED_AFTER_MS = 1_000;
/** If the change of a row has not arrived after this time, in milliseconds, the row was written without the outbox. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * The position of one subscription in the change feed, for the gateway's position reports.
 *
 * States:
 * - in a snapshot: between `beginSnapshot` and `endSnapshot`. There is no position;
 * - ahead: the subscriber has seen a row whose change the feed has not read yet. There is no position;
 * - idle: the subscription waits for the next change. Its position is that of the feed;
 * - busy: otherwise. The position is unknown.
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
  /** Records a change that was taken from the feed. */
  readonly advance: (change: { readonly key: string; readonly version: number }) => void;
}

/**
 * Creates a tracker. A snapshot may contain a row whose change the feed has not read yet. Until the feed has
 * read it, the subscriber is ahead of the feed: a client that resumed from the feed's position would see
 * older states.
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
