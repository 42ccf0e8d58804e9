/** A position in a change stream, opaque to clients. */
export interface Cursor {
  readonly epoch: string;
  /** The next offset to read; null requests a snapshot. */
  readonly offset: number | null;
  /**
   * Commit time of the newest change before this position, in milliseconds since 1970 by the
   * database's clock. A snapshot includes the deletions since that time.
   */
  readonly at: number;
}

/** Placeholder for an unknown epoch. No real epoch has this value. */
export const NO_EPOCH = '-';

export function formatCursor({ epoch, offset, at }: Cursor): string {
  return Buffer.from(`1,${epoch},${offset ?? 's'},${at.toString(36)}`).toString('base64url');
}

/** Parses a cursor. Returns undefined if the text is not a cursor. */
export function parseCursor(text: string): Cursor | undefined {
  if (!/^[\w-]{1,200}$/.test(text)) return undefined;
  const parts = Buffer.from(text, 'base64url').toString().split(',');
  const [form, epoch, offset, at] = parts;
  if (parts.length !== 4 || form !== '1' || !epoch || !offset || !at) return undefined;
  if (!/^([0-9a-f-]{36}|-)$/.test(epoch) || !/^(\d{1,15}|s)$/.test(offset)) return undefined;
  if (!/^[0-9a-z]{1,9}$/.test(at)) return undefined;
  return {
    epoch,
    offset: offset === 's' ? null : Number(offset),
    at: Number.parseInt(at, 36),
  };
}
