import { open } from 'node:fs/promises';
import type { Format } from '../rows/format.ts';
import { encodeHeader, encodeRow } from '../rows/write-row.ts';
import type { RefusedRow } from './apply-batch.ts';

/** Returns the path of the report of refused rows. */
export function reportFileOf(file: string, format: Format): string {
  return `${file}.refused.${format}`;
}

/**
 * Appends refused rows to the report, in the format of the imported file, so that it can be corrected and
 * imported. Bytes after `size` belong to a batch that a killed run had not recorded, and are replaced.
 * @param size size of the report so far, in bytes
 * @returns the new size
 */
export async function appendRefused(
  path: string,
  {
    format,
    columns,
    size,
    refused,
  }: {
    format: Format;
    /** Columns of the imported file. */
    columns: readonly string[];
    size: number;
    refused: readonly RefusedRow[];
  },
): Promise<number> {
  if (refused.length === 0) return size;
  const all = [...columns.filter((name) => !REASON.includes(name)), ...REASON];
  const lines = refused.map(({ row: { raw }, refusal }) =>
    encodeRow(format, all, {
      ...raw.values,
      row: raw.number,
      code: refusal.code,
      message: refusal.message,
    }),
  );
  const file = await open(path, 'a');
  try {
    const kept = Math.min(size, (await file.stat()).size);
    await file.truncate(kept);
    const text = (kept === 0 ? encodeHeader(format, all) : '') + lines.join('');
    await file.appendFile(text);
    return kept + Buffer.byteLength(text);
  } finally {
    await file.close();
  }
}

const REASON = ['row', 'code', 'message'];
