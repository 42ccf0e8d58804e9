export { type Feed, startFeed } from './change-feed.ts';
export { type Cursor, formatCursor, parseCursor } from './cursor.ts';
