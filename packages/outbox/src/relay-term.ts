import type { LeaderSession } from './leader-session.ts';
import { LowWaterMark } from './low-water-mark.ts';

/** Number of progress rows after which the older rows of the term are deleted. */
const KEPT_STEPS = 64;
/** The part of a statement that adds a row with the term's progress. */
export const PROGRESS = `INSERT INTO relay_progress (term, step, sent_offset, low_water_mark)
  VALUES ($1, $2, $3, $4)`;

/** A leader's term: this leader's copy of the row of the table `relay`, and its progress. */
export interface RelayTerm {
  /**
   * Increases with each new leader, so that consumers can drop the late batch of a replaced leader.
   */
  readonly term: string;
  /** Changes when the change topic is new or the database was restored. */
  epoch: string;
  /** Whether a record in the change topic announces the epoch. */
  isAnnounced: boolean;
  /** The last offset of the change topic that is recorded as sent; -1 if there is none. */
  sentOffset: number;
  readonly mark: LowWaterMark;
  /** Number of progress rows that this term has added. */
  step: number;
}

/**
 * Begins a term with the progress of the last one. The session must hold the lock.
 *
 * If the last leader ran a release that did not record its progress in `relay_progress`, the row in
 * `relay` has its offset.
 */
export async function beginTerm(session: LeaderSession): Promise<RelayTerm> {
  // The commit must wait for the disk: records carry the term, so a crash must not undo it.
  const { rows } = await session.durably(() =>
    session.query(`
      WITH last AS (SELECT * FROM relay_progress ORDER BY term DESC, step DESC LIMIT 1)
      UPDATE relay SET term = greatest(relay.term, last.term) + 1,
        sent_offset = CASE WHEN last.term = relay.term THEN last.sent_offset ELSE relay.sent_offset END
      FROM (VALUES (1)) AS one LEFT JOIN last ON true
      RETURNING relay.term, epoch, epoch_announced, relay.sent_offset, low_water_mark,
        last.term AS last_term, last.step AS last_step`),
  );
  const [row] = rows;
  if (row.last_term !== null) await deleteProgress(session, row.last_term, row.last_step);
  return {
    term: row.term,
    epoch: row.epoch,
    isAnnounced: row.epoch_announced,
    sentOffset: Number(row.sent_offset),
    mark: new LowWaterMark(Number(row.low_water_mark ?? 0)),
    step: 0,
  };
}

/**
 * Copies the offset to the table `relay`, where a relay of the previous release reads it. Such a relay may
 * be the next leader during an upgrade.
 */
export async function endTerm(session: LeaderSession, term: RelayTerm): Promise<void> {
  await session.query('UPDATE relay SET sent_offset = $1 WHERE term = $2', [
    term.sentOffset,
    term.term,
  ]);
}

/**
 * Begins an epoch and records an offset as sent.
 * @param offset the last offset that was sent
 * @param isAnnounced whether rows that are still in the outbox will announce the epoch
 */
export async function beginEpoch(
  session: LeaderSession,
  term: RelayTerm,
  { offset, isAnnounced }: { offset: number; isAnnounced: boolean },
): Promise<void> {
  // The commit must wait for the disk: records carry the epoch, so a crash must not undo it.
  const { rows } = await session.durably(() =>
    recordProgress(session, term, {
      offset,
      name: 'begin-epoch',
      text: `WITH progress AS (${PROGRESS})
        UPDATE relay SET epoch = gen_random_uuid(), epoch_announced = $5 RETURNING epoch`,
      value: isAnnounced,
    }),
  );
  term.epoch = rows[0].epoch;
  term.isAnnounced = isAnnounced;
}

/** Records that the change topic has a record with the epoch. @param offset the record's offset */
export async function noteAnnouncement(
  session: LeaderSession,
  term: RelayTerm,
  offset: number,
): Promise<void> {
  await recordProgress(session, term, {
    offset,
    name: 'announced',
    text: `WITH progress AS (${PROGRESS}) UPDATE relay SET epoch_announced = $5`,
    value: true,
  });
  term.isAnnounced = true;
}

/**
 * Runs a statement that adds a row with the term's progress to `relay_progress`, and deletes old rows from
 * time to time. If each batch updated a single row instead, each update would leave a dead version while
 * an old snapshot exists, and every later update would have to pass all of them.
 */
export async function recordProgress(
  session: LeaderSession,
  term: RelayTerm,
  {
    offset,
    name,
    text,
    value,
  }: {
    /** The last offset of the change topic that was sent. */
    offset: number;
    /** Name of the prepared statement. */
    name: string;
    /** A statement that contains `PROGRESS`. */
    text: string;
    /** The parameter $5 of the statement. */
    value: unknown;
  },
) {
  term.step += 1;
  const result = await session.query({
    name,
    text,
    values: [term.term, term.step, offset, term.mark.value, value],
  });
  term.sentOffset = offset;
  if (term.step % KEPT_STEPS === 0) await deleteProgress(session, term.term, term.step);
  return result;
}

/** Deletes the rows of a term before a step. The range is limited, so that no dead rows are passed. */
async function deleteProgress(
  session: LeaderSession,
  term: string,
  step: number | string,
): Promise<void> {
  await session.query({
    name: 'delete-progress',
    text: 'DELETE FROM relay_progress WHERE term = $1 AND step >= $2 AND step < $3',
    values: [term, Math.max(1, Number(step) - 2 * KEPT_STEPS), step],
  });
}
