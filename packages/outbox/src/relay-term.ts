import type { LeaderSession } from './leader-session.ts';

/** A leader's term: this leader's copy of the row of the table `relay`. */
export interface RelayTerm {
  /**
   * Increases with each new leader, so that consumers can drop the late batch of a replaced leader.
   */
  readonly term: string;
  /** Changes when the change topic is new or the database was restored. */
  epoch: string;
  /** The last offset of the change topic that is recorded as sent; -1 if there is none. */
  sentOffset: number;
}

/** Begins a term. The session must hold the lock. */
export async function beginTerm(session: LeaderSession): Promise<RelayTerm> {
  // The commit must wait for the disk: records carry the term, so a crash must not undo it.
  const { rows } = await session.durably(() =>
    session.query('UPDATE relay SET term = term + 1 RETURNING term, epoch, sent_offset'),
  );
  const [{ term, epoch, sent_offset: sentOffset }] = rows;
  return { term, epoch, sentOffset: Number(sentOffset) };
}

/**
 * Begins an epoch and records an offset as sent.
 * @param offset the last offset that was sent
 */
export async function beginEpoch(
  session: LeaderSession,
  term: RelayTerm,
  offset: number,
): Promise<void> {
  // The commit must wait for the disk: records carry the epoch, so a crash must not undo it.
  const { rows } = await session.durably(() =>
    session.query('UPDATE relay SET epoch = gen_random_uuid(), sent_offset = $1 RETURNING epoch', [
      offset,
    ]),
  );
  term.epoch = rows[0].epoch;
  term.sentOffset = offset;
}
