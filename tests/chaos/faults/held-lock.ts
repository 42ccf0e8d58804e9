import pg from 'pg';
import type { Side } from '../rig/backing.ts';

/** A database lock that a test holds, so that statements of a service wait for it. */
export interface HeldLock {
  /** Returns the number of the service's statements that wait for a lock. */
  readonly waitingStatements: () => Promise<number>;
  /** Terminates the service's database sessions, so that the waiting statements never run. */
  readonly endSessions: () => Promise<void>;
  readonly release: () => Promise<void>;
}

/** Locks the rows of the given stocks. */
export function lockStocks(url: string, ids: readonly string[]): Promise<HeldLock> {
  const sql = 'SELECT FROM stocks WHERE id = ANY($1) ORDER BY id FOR UPDATE';
  return holdLock({ url, side: 'stock', sql, values: [ids], waiting: '%' });
}

/** Blocks writes to the outbox of a subgraph. */
export function lockOutbox(url: string, side: Side): Promise<HeldLock> {
  const sql = 'LOCK TABLE outbox IN SHARE MODE';
  return holdLock({ url, side, sql, values: [], waiting: '%INSERT INTO outbox%' });
}

async function holdLock({
  url,
  side,
  sql,
  values,
  waiting,
}: {
  url: string;
  side: Side;
  sql: string;
  values: readonly unknown[];
  /** LIKE pattern of the waiting statements that are counted. */
  waiting: string;
}): Promise<HeldLock> {
  const service = `${side}-subgraph`;
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, [...values]);
  let released = false;
  return {
    waitingStatements: async () => {
      // Within a transaction, pg_stat_activity shows the same snapshot until the snapshot is cleared.
      await client.query('SELECT pg_stat_clear_snapshot()');
      const { rows } = await client.query(
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND application_name = $1 AND query LIKE $2`,
        [service, waiting],
      );
      return rows[0].count;
    },
    endSessions: async () => {
      await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
        [service],
      );
    },
    release: async () => {
      if (released) return;
      released = true;
      await client.query('ROLLBACK').catch(() => {});
      await client.end().catch(() => {});
    },
  };
}
