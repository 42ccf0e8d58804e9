import { readFile } from 'node:fs/promises';
import { BATCH, UNCOUNTED } from '../fetch/record-batch.ts';

/**
 * Returns the position of the last record batch in a file of a partition's log, in bytes. Truncating
 * the file there has the effect of a broker that loses data that was not synced to the disk.
 */
export async function lastBatchOf(file: string): Promise<number> {
  const bytes = await readFile(file);
  let last = 0;
  for (let at = 0; at + UNCOUNTED < bytes.length; ) {
    const length = bytes.readInt32BE(at + BATCH.length);
    // The broker preallocates no space, but the last batch may be incomplete after SIGKILL.
    if (length <= 0 || at + UNCOUNTED + length > bytes.length) break;
    last = at;
    at += UNCOUNTED + length;
  }
  return last;
}
