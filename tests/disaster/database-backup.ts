import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import pg from 'pg';
import { runRunbookCommand } from './runbook.ts';

/** A backup of a whole database. */
export interface DatabaseBackup {
  /** Replaces the database with the backup. The database's service must be stopped. */
  readonly restore: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

interface BackedUp {
  readonly database: 'order' | 'stock';
  readonly url: string;
  /** The service that uses the database. */
  readonly part: ServiceProcess;
}

/**
 * Creates a backup with the runbook's commands. pg_dump runs while the system runs. pg_restore
 * restores into the existing database, or into a new one if `lost` is set.
 * @param programs folder of PostgreSQL's programs
 */
export async function dumpDatabase(
  { database, url }: BackedUp,
  { programs, lost }: { programs: string; lost: boolean },
): Promise<DatabaseBackup> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-dump-'));
  const place = { url, programs, directory };
  await runRunbookCommand({ begins: 'pg_dump', database }, place);
  return {
    restore: async () => {
      const name = new URL(url).pathname.slice(1);
      if (lost) {
        await onServer(url, `DROP DATABASE ${name} WITH (FORCE)`);
        await onServer(url, `CREATE DATABASE ${name}`);
      }
      await runRunbookCommand({ begins: 'pg_restore', database }, place);
    },
    drop: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * Creates a backup by copying the database within its server. This is for machines without pg_dump,
 * which PostgreSQL's npm package lacks. The service is stopped during the copy, because PostgreSQL
 * copies only a database without connections.
 */
export async function copyDatabase({ url, part }: BackedUp): Promise<DatabaseBackup> {
  const database = new URL(url).pathname.slice(1);
  const backup = `${database}_backup`;
  await part.stop();
  await copy(url, { from: database, to: backup });
  await part.restart();
  await part.ready();
  return {
    restore: async () => {
      await onServer(url, `DROP DATABASE ${database} WITH (FORCE)`);
      await copy(url, { from: backup, to: database });
    },
    drop: () => onServer(url, `DROP DATABASE IF EXISTS ${backup} WITH (FORCE)`),
  };
}

/** Retries a statement until all connections to the database are closed. */
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
