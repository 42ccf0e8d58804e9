import { sqlState } from '@gudang/postgres';
import type { LeaderSession } from './leader-session.ts';
import { PROGRESS, type RelayTerm, recordProgress } from './relay-term.ts';

/** Time-out of the search for a row below the low-water mark, in milliseconds. */
const SEARCH_LIMIT_MS = 250;
/** SQLSTATE of a statement that reached its time-out. */
const QUERY_CANCELED = '57014';

/**
 * Deletes sent rows and records the term's progress in the same statement.
 * @param offset the last offset of the sent rows; null if no row was sent to the change topic
 */
export async function deleteSent(
  session: LeaderSession,
  term: RelayTerm,
  ids: readonly string[],
  offset: number | null,
): Promise<void> {
  await recordProgress(session, term, {
    offset: offset ?? term.sentOffset,
    name: 'delete-sent',
    text: `WITH sent AS (DELETE FROM outbox WHERE id = ANY($5::bigint[])) ${PROGRESS}`,
    value: ids,
  });
}

/** Moves a row to the table `outbox_rejected`. */
export async function rejectRow(session: LeaderSession, id: string, reason: string): Promise<void> {
  await session.query(
    `WITH refused AS (DELETE FROM outbox WHERE id = $1 RETURNING *)
     INSERT INTO outbox_rejected
       (id, topic, key, value, version, headers, traceparent, created_at, reason)
     SELECT id, topic, key, value, version, headers, traceparent, created_at, $2 FROM refused`,
    [id, reason],
  );
}

/** Returns the transactions, except this session's own, that may write or have written to the outbox. */
export async function findWriters(session: LeaderSession): Promise<readonly string[]> {
  const { rows } = await session.query({
    name: 'writers',
    text: `SELECT virtualtransaction FROM pg_locks
           WHERE relation = 'outbox'::regclass AND mode = 'RowExclusiveLock' AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND pid IS DISTINCT FROM pg_backend_pid()`,
  });
  return rows.map((row) => row.virtualtransaction);
}

/**
 * Finds the first row that is not above the low-water mark. There is none, unless a row was inserted with
 * an explicit id or the sequence of ids was reset.
 * @returns the row's id; undefined if there is none, or if dead rows make the search too long
 */
export async function findRowBelow(
  session: LeaderSession,
  mark: number,
): Promise<number | undefined> {
  await session.query('BEGIN');
  try {
    await session.query(`SET LOCAL statement_timeout = ${SEARCH_LIMIT_MS}`);
    const sql = 'SELECT id FROM outbox WHERE id <= $1 ORDER BY id LIMIT 1';
    const { rows } = await session.query(sql, [mark]);
    await session.query('COMMIT');
    return rows.length === 0 ? undefined : Number(rows[0].id);
  } catch (error) {
    await session.query('ROLLBACK');
    if (sqlState(error) !== QUERY_CANCELED) throw error;
    return undefined;
  }
}
