import type { LeaderSession } from './leader-session.ts';

/** A leader's term: the row of the table `relay`, as this leader has read and written it. */
export interface RelayTerm {
  /** Grows with each leader, so that consumers drop the late batch of a replaced leader. */
  readonly term: string;
  /** Changes when the change topic is new, or the database was restored. */
  epoch: string;
  /** The last offset of the change topic that is recorded as sent; -1: none. */
  sentOffset: number;
}

/** Begins a term. The session must hold the lock. */
export async function beginTerm(session: LeaderSession): Promise<RelayTerm> {
  // Records carry the term, so its commit must wait for the disk.
  const { rows } = await session.durably(() =>
    session.query('UPDATE relay SET term = term + 1 RETURNING term, epoch, sent_offset'),
  );
  const [{ term, epoch, sent_offset: sentOffset }] = rows;
  return { term, epoch, sentOffset: Number(sentOffset) };
}

/** @param offset the last offset that was sent */
export async function beginEpoch(
  session: LeaderSession,
  term: RelayTerm,
  offset: number,
): Promise<void> {
  // Records carry the epoch, so its commit must wait for the disk.
  const { rows } = await session.durably(() =>
    session.query('UPDATE relay SET epoch = gen_random_uuid(), sent_offset = $1 RETURNING epoch', [
      offset,
    ]),
  );
  term.epoch = rows[0].epoch;
  term.sentOffset = offset;
}
