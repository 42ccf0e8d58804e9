export { type ChangeFeed, type FeedOptions, startChangeFeed } from './change-feed.ts';
export type { LoggedChange } from './change-log.ts';
export {
  type Cursor,
  formatCursor,
  parseCursor,
  type SnapshotProgress,
  type SnapshotScan,
  type TimeRange,
} from './cursor.ts';
export type { OpenedWatch } from './open-watch.ts';
export type { Watch } from './watchers.ts';
