import type { LeaderSession } from './leader-session.ts';
import { type OutboxRow, rowsWithin } from './outbox-row.ts';

/** Maximum number of rows in a batch. */
const BATCH_ROWS = 500;
/** Maximum size of a batch, in bytes: less than the 1 MiB that brokers accept by default. */
const BATCH_BYTES = 700 * 1024;
/**
 * Maximum size of a row that is read, in bytes. A broker closes the connection for a request of more
 * than 100 MiB (`socket.request.max.bytes`), so it would never refuse a larger row.
 */
const ROW_BYTES = 64 * 1024 * 1024;
/**
 * Size of a key, a value or headers above which PostgreSQL adds up the sizes of the rows, in bytes.
 * Smaller rows need no sum, because their number is limited. The sum would cost 15 µs of PostgreSQL's
 * CPU time per read, and 0.8 µs more per row.
 */
const SMALL_BYTES = 2_048;

/** The next rows to send, in the order of their ids. */
export interface Batch {
  readonly rows: readonly OutboxRow[];
  /** Whether no other row waited. */
  readonly isLast: boolean;
  /** The size of the only row, if it exceeds `ROW_BYTES`, so that the row lacks its content. */
  readonly tooLarge?: number;
}

/**
 * Reads the next rows above the low-water mark: at most 500 rows and 700 KiB, but at least one row.
 * PostgreSQL returns at most 3 MiB, or one row.
 */
export async function readBatch(
  session: Pick<LeaderSession, 'query'>,
  mark: number,
): Promise<Batch> {
  const { rows }: { rows: (OutboxRow & { large: boolean | null })[] } = await session.query({
    name: 'next-rows',
    text: `SELECT id, topic,
             CASE WHEN octet_length(key) <= ${SMALL_BYTES} THEN key END AS key,
             CASE WHEN octet_length(value) <= ${SMALL_BYTES} THEN value END AS value,
             version,
             CASE WHEN octet_length(headers::text) <= ${SMALL_BYTES} THEN headers END AS headers,
             traceparent, created_at,
             octet_length(key) > ${SMALL_BYTES} OR octet_length(value) > ${SMALL_BYTES}
               OR octet_length(headers::text) > ${SMALL_BYTES} AS large
           FROM outbox WHERE id > $1 ORDER BY id LIMIT ${BATCH_ROWS}`,
    values: [mark],
  });
  const large = rows.findIndex((row) => row.large);
  if (large === 0) return readLargeRows(session, mark);
  const small = rowsWithin(large === -1 ? rows : rows.slice(0, large), BATCH_BYTES);
  return { rows: small, isLast: small.length === rows.length && rows.length < BATCH_ROWS };
}

/** Reads rows of which the first is large. */
async function readLargeRows(session: Pick<LeaderSession, 'query'>, mark: number): Promise<Batch> {
  const { rows }: { rows: (OutboxRow & { bytes: number })[] } = await session.query({
    name: 'next-large-rows',
    text: `SELECT id, topic, CASE WHEN bytes <= ${ROW_BYTES} THEN key END AS key,
             CASE WHEN bytes <= ${ROW_BYTES} THEN value END AS value, version,
             CASE WHEN bytes <= ${ROW_BYTES} THEN headers END AS headers,
             traceparent, created_at, bytes
           FROM (
             SELECT *, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS total FROM (
               SELECT *, coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0)
                 + coalesce(octet_length(headers::text), 0) AS bytes
               FROM outbox WHERE id > $1 ORDER BY id LIMIT ${BATCH_ROWS}
             ) AS next
           ) AS sized WHERE total <= ${BATCH_BYTES} OR total = bytes ORDER BY id`,
    values: [mark],
  });
  const batch = { rows: rowsWithin(rows, BATCH_BYTES), isLast: false };
  const bytes = rows.at(0)?.bytes ?? 0;
  return bytes > ROW_BYTES ? { ...batch, tooLarge: bytes } : batch;
}
