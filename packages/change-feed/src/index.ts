export { type Cursor, formatCursor, parseCursor } from './cursor.ts';
export { type Feed, startFeed } from './feed.ts';
