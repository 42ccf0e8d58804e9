import { type Feed, formatCursor } from '@gudang/change-feed';
import type { StockState } from '@gudang/events';
import type { Position } from '@gudang/subgraph';

/** A row so much older than the newest change was announced before it, in milliseconds. */
const ANNOUNCED_AFTER_MS = 1_000;
/** No change of a row is still to come after so long: it was written past the outbox. */
const GIVEN_UP_AFTER_MS = 60_000;

/** Where one subscription stands in the change stream, for a gateway that shares it. */
export interface StreamPlace {
  readonly read: () => Position;
  /** Whether it waits: then all before the feed's position has been sent. */
  readonly wait: (waiting: boolean) => void;
  /** A snapshot begins. */
  readonly lose: () => void;
  /** A row of the snapshot. */
  readonly show: (stock: Pick<StockState, 'id' | 'version' | 'updatedAt'>) => void;
  /** The snapshot is over. */
  readonly find: () => void;
  /** A change was taken from the feed. */
  readonly pass: (change: { readonly key: string; readonly version: number }) => void;
}

/**
 * A snapshot may show a row whose change the feed has yet to read. Until it has, this subscription
 * is ahead of its position: a client that went on elsewhere from there would be shown an older state.
 * @param onLost called when a snapshot begins
 */
export function createStreamPlace(
  feed: Pick<Feed, 'position' | 'versionOf'>,
  onLost: () => void = () => {},
): StreamPlace {
  const ahead = new Map<string, { version: number; updatedAt: number }>();
  let inSnapshot = false;
  let waiting = false;

  const giveUpOld = (): void => {
    const oldest = Date.now() - GIVEN_UP_AFTER_MS;
    for (const [id, { updatedAt }] of ahead) if (updatedAt < oldest) ahead.delete(id);
  };

  return {
    read: () => {
      if (ahead.size > 0) giveUpOld();
      if (inSnapshot || ahead.size > 0) return null;
      return waiting ? formatCursor(feed.position()) : undefined;
    },
    wait: (now) => {
      waiting = now;
    },
    lose: () => {
      inSnapshot = true;
      ahead.clear();
      onLost();
    },
    show: ({ id, version, updatedAt }) => {
      const read = feed.versionOf(id);
      const newest = feed.position().at;
      const isAhead =
        read === undefined ? updatedAt.getTime() > newest - ANNOUNCED_AFTER_MS : version > read;
      if (isAhead) ahead.set(id, { version, updatedAt: updatedAt.getTime() });
    },
    find: () => {
      inSnapshot = false;
    },
    pass: ({ key, version }) => {
      const shown = ahead.get(key);
      if (shown && version >= shown.version) ahead.delete(key);
    },
  };
}
