import type { LeaderSession } from './leader-session.ts';
import type { OutboxRow } from './outbox-row.ts';
import type { RelayTerm } from './relay-term.ts';

/** Reads the rows with the lowest ids, in the order of their ids. */
export async function readRows(session: LeaderSession, limit: number): Promise<OutboxRow[]> {
  const { rows } = await session.query({
    name: 'next-rows',
    text: `SELECT id, topic, key, value, version, headers, traceparent, created_at
           FROM outbox ORDER BY id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/**
 * Deletes sent rows and records the change topic's offset in the same statement.
 * @param offset the last offset of the sent rows; null if no row was sent to the change topic
 */
export async function deleteSent(
  session: LeaderSession,
  term: RelayTerm,
  ids: readonly string[],
  offset: number | null,
): Promise<void> {
  if (offset === null) {
    await session.query({
      name: 'delete-sent',
      text: 'DELETE FROM outbox WHERE id = ANY($1::bigint[])',
      values: [ids],
    });
    return;
  }
  await session.query({
    name: 'delete-sent-changes',
    text: `WITH sent AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]))
           UPDATE relay SET sent_offset = $2`,
    values: [ids, offset],
  });
  term.sentOffset = offset;
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
