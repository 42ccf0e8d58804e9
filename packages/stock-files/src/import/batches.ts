import type { ImportRow } from '../rows/import-row.ts';

/** Consecutive rows of a file, which one mutation applies. */
export interface Batch {
  /** Number of the first row, with which the idempotency key ends. */
  readonly first: number;
  readonly last: number;
  readonly rows: readonly ImportRow[];
}

/**
 * Maximum size of the inputs of a batch, in bytes of JSON. It leaves room for the operation's text within
 * the gateway's LIMIT_BODY_KIB.
 */
const LARGEST_INPUTS = 192 * 1024;

/**
 * Divides rows into batches. The division depends only on the rows and on the limit, so that a resumed run
 * sends the same batches with the same keys.
 * @param limit maximum number of rows of a batch
 */
export async function* divideRows(
  rows: AsyncIterable<ImportRow>,
  limit: number,
): AsyncGenerator<Batch> {
  let batch: ImportRow[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const size =
      'input' in row.parsed ? Buffer.byteLength(JSON.stringify(row.parsed.input)) + 1 : 0;
    if (batch.length === limit || (batch.length > 0 && bytes + size > LARGEST_INPUTS)) {
      yield batchOf(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(row);
    bytes += size;
  }
  if (batch.length > 0) yield batchOf(batch);
}

function batchOf(rows: readonly ImportRow[]): Batch {
  const numbers = rows.map(({ raw }) => raw.number);
  return { first: numbers[0] ?? 0, last: numbers.at(-1) ?? 0, rows };
}
