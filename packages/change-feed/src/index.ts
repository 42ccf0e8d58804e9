export { type ChangeFeed, startChangeFeed } from './change-feed.ts';
export { type Cursor, formatCursor, parseCursor } from './cursor.ts';
