/** A position in a change stream, opaque to clients. */
export interface Cursor {
  /** Letters that distinguish the cursors of this stream from those of other streams; none by default. */
  readonly stream?: string | undefined;
  readonly epoch: string;
  /** The next offset to read; null requests a snapshot. */
  readonly offset: number | null;
  /**
   * Commit time of the newest change before this position, in milliseconds since 1970 by the
   * database's clock. A snapshot includes the deletions since that time.
   */
  readonly at: number;
  /** Set if the stream has sent a part of a snapshot that began at this position. */
  readonly snapshot?: SnapshotProgress;
}

/**
 * The part of a snapshot that a stream has sent. The rows were read after the position at which the snapshot
 * began, so they may contain changes that the feed delivers after this position.
 */
export interface SnapshotProgress {
  /** The rest of the snapshot; undefined if every row was sent. */
  readonly scan?: SnapshotScan;
  /** The next offset of the feed when the last row was sent. */
  readonly seen: number;
  /** The times of the changes that sent rows contained and the feed had not read; undefined if there were none. */
  readonly ahead?: TimeRange;
  /**
   * Whether the last row was sent because an earlier subscription may have sent it at another version. The
   * end of these rows was not announced yet.
   */
  readonly isRepetition?: true;
}

/** Times in milliseconds since 1970, both inclusive. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

/** The rows that a snapshot names, in ascending order of their ids. */
export interface SnapshotScan {
  /** Whether the snapshot names every row, or only the rows that changed since a time. */
  readonly isComplete: boolean;
  /**
   * Lower bound in milliseconds since 1970: of the deletions if the snapshot is complete, otherwise of
   * all changes.
   */
  readonly since: number;
  /** The id of the last row that was sent; undefined before the first row. */
  readonly from?: string;
  /** Whether that was the last row of the snapshot, whose end the subscriber may not have received. */
  readonly isOver?: true;
}

/** Placeholder for an unknown epoch. No real epoch has this value. */
export const NO_EPOCH = '-';

/** Stands for `isRepetition` in place of a scan. */
const REPETITION = 'r';

/** Maximum length of a cursor, in characters. The ids of rows have up to 400 bytes. */
const MAX_LENGTH = 1_000;

export function formatCursor({ stream = '', epoch, offset, at, snapshot }: Cursor): string {
  const position = `${epoch},${offset ?? 's'},${at.toString(36)}`;
  if (!snapshot) return encode(`1${stream},${position}`);
  const { scan, seen, ahead, isRepetition } = snapshot;
  const read = `${seen},${ahead ? `${ahead.since.toString(36)}-${ahead.until.toString(36)}` : ''}`;
  if (isRepetition) return encode(`2${stream},${position},${read},${REPETITION}`);
  if (!scan) return encode(`2${stream},${position},${read}`);
  const { isComplete, since, from = '', isOver } = scan;
  const kind = isComplete ? 'c' : 'd';
  const rest = `${isOver ? kind.toUpperCase() : kind}${since.toString(36)},${from}`;
  return encode(`2${stream},${position},${read},${rest}`);
}

/** Parses a cursor. Returns undefined if the text is not a cursor of the stream. */
export function parseCursor(text: string, stream = ''): Cursor | undefined {
  if (text.length > MAX_LENGTH || !/^[\w-]+$/.test(text)) return undefined;
  const [form, ...parts] = Buffer.from(text, 'base64url').toString().split(',');
  const parsed = parsePosition(parts);
  const position = parsed && stream !== '' ? { stream, ...parsed } : parsed;
  if (form === `1${stream}`) return parts.length === 3 ? position : undefined;
  if (form !== `2${stream}` || !position) return undefined;
  const snapshot = parseProgress(parts.slice(3));
  return snapshot && { ...position, snapshot };
}

function parsePosition([epoch, offset, at]: readonly string[]): Cursor | undefined {
  if (!epoch || !offset || !at) return undefined;
  if (!/^([0-9a-f-]{36}|-)$/.test(epoch) || !/^(\d{1,15}|s)$/.test(offset)) return undefined;
  if (!isTime(at)) return undefined;
  return {
    epoch,
    offset: offset === 's' ? null : Number(offset),
    at: Number.parseInt(at, 36),
  };
}

function parseProgress(parts: readonly string[]): SnapshotProgress | undefined {
  const [seen, times, since, ...from] = parts;
  if (!seen || !/^\d{1,15}$/.test(seen) || times === undefined) return undefined;
  const ahead = times === '' ? undefined : parseTimes(times);
  if (times !== '' && !ahead) return undefined;
  const progress = { seen: Number(seen), ...(ahead && { ahead }) };
  if (since === undefined) return progress;
  if (since === REPETITION && from.length === 0) return { ...progress, isRepetition: true };
  if (!/^[cd]/i.test(since) || !isTime(since.slice(1)) || from.length === 0) return undefined;
  // An id may contain commas.
  const last = from.join(',');
  const scan = {
    isComplete: /^c/i.test(since),
    since: Number.parseInt(since.slice(1), 36),
    ...(last === '' ? {} : { from: last }),
    ...(/^[CD]/.test(since) ? { isOver: true as const } : {}),
  };
  return { ...progress, scan };
}

function parseTimes(text: string): TimeRange | undefined {
  const [since = '', until = '', ...more] = text.split('-');
  if (!isTime(since) || !isTime(until) || more.length > 0) return undefined;
  return { since: Number.parseInt(since, 36), until: Number.parseInt(until, 36) };
}

function isTime(text: string): boolean {
  return /^[0-9a-z]{1,9}$/.test(text);
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
