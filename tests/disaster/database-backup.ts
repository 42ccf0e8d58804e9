import pg from 'pg';
import { eventually } from '../system/eventually.ts';

/** The whole state that a database had once. */
export interface DatabaseBackup {
  /** Puts it in the place of the database, as it was; whoever is connected is cut off. */
  readonly restore: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

/**
 * Copies a database within its server: what pg_dump and pg_restore do, whose programs the npm
 * package of PostgreSQL does not have. Whoever is connected is cut off.
 */
export async function backUpDatabase(url: string): Promise<DatabaseBackup> {
  const database = new URL(url).pathname.slice(1);
  const backup = `${database}_backup`;
  await copy(url, { from: database, to: backup });
  return {
    restore: async () => {
      await onServer(url, `DROP DATABASE ${database} WITH (FORCE)`);
      await copy(url, { from: backup, to: database });
    },
    drop: () => onServer(url, `DROP DATABASE IF EXISTS ${backup} WITH (FORCE)`),
  };
}

/** Nobody may be connected to what is copied, and somebody may be for a moment. */
async function copy(url: string, { from, to }: { from: string; to: string }): Promise<void> {
  const attempt = async (): Promise<true> => {
    await onServer(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${from}'`,
    );
    await onServer(url, `CREATE DATABASE ${to} TEMPLATE ${from}`);
    return true;
  };
  await eventually(attempt, (done) => done, { until: `${from} is copied`, every: 100 });
}

async function onServer(url: string, sql: string): Promise<void> {
  const server = new URL(url);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
