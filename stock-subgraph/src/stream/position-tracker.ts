import { type ChangeFeed, formatCursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Position } from '@gudang/subgraph';

/**
 * Time in milliseconds. If a row is older than the newest change of the feed by at least this time, the
 * row's own change was certainly sent before the newest change.
 */
const ANNOUNCED_AFTER_MS = 1_000;
/**
 * Age of a row after which its change is no longer expected from the feed, in milliseconds. The row must
 * then have been written without the outbox.
 */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Tracks the position of one subscription in the change feed, for position reports to the gateway.
 *
 * States:
 * - in a snapshot: `beginSnapshot` was called, and `endSnapshot` was not called yet. There is no
 *   position;
 * - ahead: the subscriber has received a row whose change the feed has not read yet. There is
 *   no position;
 * - idle: the subscription waits for the next change. Its position is the position of the feed;
 * - busy: the subscription is in none of the other states. The position is unknown.
 */
export interface PositionTracker {
  /** Returns the position. See `Position` for its values. */
  readonly read: () => Position;
  /** Sets whether the subscription waits for the next change. */
  readonly setIdle: (idle: boolean) => void;
  readonly beginSnapshot: () => void;
  /** Records a row that the snapshot contains. */
  readonly addRow: (stock: Pick<StockState, 'id' | 'version' | 'updatedAt'>) => void;
  readonly endSnapshot: () => void;
  /** Records a change that was taken from the feed. */
  readonly advance: (change: { readonly key: string; readonly version: number }) => void;
}

/**
 * Creates a tracker. A snapshot may contain a row whose change the feed has not read yet. Until the feed
 * has read this change, the subscriber is ahead of the feed: a client that resumed from the feed's
 * position would then receive older states.
 * @param onLost is called when a snapshot begins
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
