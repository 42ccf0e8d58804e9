import type { ChangeFeed } from '../change-feed.ts';
import { type Arrival, ChangeLog } from '../change-log.ts';
import { NO_EPOCH } from '../cursor.ts';
import { openWatch } from '../open-watch.ts';
import { createWatchers } from '../watchers.ts';

/** A change feed without Kafka, for tests. */
export interface MemoryFeed extends ChangeFeed {
  /** The next offset to deliver. */
  readonly next: number;
  readonly deliver: (arrival: Arrival) => void;
}

/**
 * Creates a feed that has caught up.
 * @param window number of changes that are kept in memory
 * @param reach called when a subscription waits until the feed has read up to an offset
 */
export function createMemoryFeed({
  window,
  offset,
  epoch,
  stream,
  at = 0,
  reach,
}: {
  readonly window: number;
  readonly offset: number;
  readonly epoch: string;
  readonly stream?: string;
  /** Time of the position before the first change, in milliseconds since 1970; 0 by default. */
  readonly at?: number;
  readonly reach: (offset: number) => Promise<void>;
}): MemoryFeed {
  const changes = new ChangeLog(window);
  const watchers = createWatchers(window);
  changes.startAt(offset, epoch, at);
  const reader = { changes, watchers, caughtUp: async () => {}, reached: reach };
  return {
    get next() {
      return changes.next;
    },
    deliver: (arrival) => {
      const since = changes.newestAt;
      const verdict = changes.append(arrival);
      if (verdict === 'broken') watchers.missed(since);
      else if (verdict === 'new') watchers.publish(arrival.change);
    },
    watch: (keys) => watchers.watch(keys),
    open: (keys, after, left) => openWatch(reader, keys, after, left),
    position: () => ({
      stream,
      epoch: changes.epoch ?? NO_EPOCH,
      offset: changes.next,
      at: changes.newestAt,
    }),
    versionOf: (key) => changes.versionOf(key),
    oldestAt: () => changes.oldestAt,
    cursorAfter: ({ offset: before, at }) => ({
      stream,
      epoch: changes.epoch ?? NO_EPOCH,
      offset: before + 1,
      at,
    }),
    stop: async () => {},
  };
}
