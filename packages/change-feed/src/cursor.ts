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
  /**
   * Time of the oldest change that a sent row contained and the feed had not read, in milliseconds
   * since 1970; undefined if there was none.
   */
  readonly aheadSince?: number;
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
}

/** Placeholder for an unknown epoch. No real epoch has this value. */
export const NO_EPOCH = '-';

/** Maximum length of a cursor, in characters. The ids of rows have up to 400 bytes. */
const MAX_LENGTH = 1_000;

export function formatCursor({ stream = '', epoch, offset, at, snapshot }: Cursor): string {
  const position = `${epoch},${offset ?? 's'},${at.toString(36)}`;
  if (!snapshot) return encode(`1${stream},${position}`);
  const { scan, seen, aheadSince } = snapshot;
  const read = `${seen},${aheadSince?.toString(36) ?? ''}`;
  if (!scan) return encode(`2${stream},${position},${read}`);
  const { isComplete, since, from = '' } = scan;
  const rest = `${isComplete ? 'c' : 'd'}${since.toString(36)},${from}`;
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
  const [seen, ahead, since, ...from] = parts;
  if (!seen || !/^\d{1,15}$/.test(seen) || ahead === undefined) return undefined;
  if (ahead !== '' && !isTime(ahead)) return undefined;
  const progress = {
    seen: Number(seen),
    ...(ahead === '' ? {} : { aheadSince: Number.parseInt(ahead, 36) }),
  };
  if (since === undefined) return progress;
  if (!/^[cd]/.test(since) || !isTime(since.slice(1)) || from.length === 0) return undefined;
  const scan = { isComplete: since.startsWith('c'), since: Number.parseInt(since.slice(1), 36) };
  // An id may contain commas.
  const last = from.join(',');
  return { ...progress, scan: last === '' ? scan : { ...scan, from: last } };
}

function isTime(text: string): boolean {
  return /^[0-9a-z]{1,9}$/.test(text);
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
