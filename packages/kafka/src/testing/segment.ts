import { open, readFile } from 'node:fs/promises';
import { BATCH, decodeRecordBatch, TRANSACTIONAL, UNCOUNTED } from '../fetch/record-batch.ts';
import type { DecodedRecord } from '../fetch/record-decoder.ts';

/** The part of a partition's log that a broker has lost. */
export interface LostTail {
  /** The first lost offset. */
  readonly from: number;
  /** All records of the file before the loss, except those of transactions. */
  readonly records: readonly DecodedRecord[];
}

/**
 * Deletes the last record batches in a file of a partition's log, while the broker is not running.
 * This has the effect of a power failure on data that was not synced to the disk. Batches of
 * transactions are kept: without the record that ends a transaction, the broker would hide all later
 * records from consumers until an operator ends the transaction.
 * @param count maximum number of batches
 * @returns undefined if the file has no batch
 */
export async function loseTail(file: string, count: number): Promise<LostTail | undefined> {
  const bytes = await readFile(file);
  const starts: number[] = [];
  for (let at = 0; at + UNCOUNTED < bytes.length; ) {
    const length = bytes.readInt32BE(at + BATCH.length);
    // After SIGKILL, the last batch may be incomplete.
    if (length <= 0 || at + UNCOUNTED + length > bytes.length) break;
    starts.push(at);
    at += UNCOUNTED + length;
  }
  const inTransaction = (start: number): boolean =>
    (bytes.readInt16BE(start + BATCH.attributes) & TRANSACTIONAL) !== 0;
  const kept = starts.findLastIndex(inTransaction) + 1;
  const first = starts.slice(kept).slice(-count)[0];
  if (first === undefined || count === 0) return undefined;
  const records: DecodedRecord[] = [];
  for (const start of starts) {
    if (inTransaction(start)) continue;
    const end = start + UNCOUNTED + bytes.readInt32BE(start + BATCH.length);
    records.push(...(await decodeRecordBatch(bytes.subarray(start, end))));
  }
  const handle = await open(file, 'r+');
  await handle.truncate(first);
  await handle.close();
  return { from: Number(bytes.readBigInt64BE(first + BATCH.firstOffset)), records };
}
