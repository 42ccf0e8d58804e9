/**
 * A position in a change stream, opaque to clients. `offset` is the next one to read; null starts
 * with a snapshot. `at`, milliseconds since 1970 by the database's clock, tells a snapshot from
 * when on deletions are news to the one who comes with this cursor.
 */
export interface Cursor {
  readonly epoch: string;
  readonly offset: number | null;
  readonly at: number;
}

/** What an epoch looks like where none is known yet; it matches no other. */
export const NO_EPOCH = '-';

export function formatCursor({ epoch, offset, at }: Cursor): string {
  return Buffer.from(`1,${epoch},${offset ?? 's'},${at.toString(36)}`).toString('base64url');
}

/** Undefined for a text that no cursor of ours has. */
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
