import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import pg from 'pg';
import { runPageCommand } from './page-commands.ts';

/** The whole state that a database had once. */
export interface DatabaseBackup {
  /** Puts it in the place of the database, as it was; its service is stopped by then. */
  readonly restore: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

interface BackedUp {
  readonly database: 'order' | 'stock';
  readonly url: string;
  /** The service that works with it. */
  readonly part: ServiceProcess;
}

/**
 * By the operators' page: pg_dump while all runs; pg_restore into the database as it is, or into a new
 * one where it is lost.
 * @param programs their folder
 */
export async function dumpDatabase(
  { database, url }: BackedUp,
  { programs, lost }: { programs: string; lost: boolean },
): Promise<DatabaseBackup> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-dump-'));
  const place = { url, programs, directory };
  await runPageCommand({ begins: 'pg_dump', database }, place);
  return {
    restore: async () => {
      const name = new URL(url).pathname.slice(1);
      if (lost) {
        await onServer(url, `DROP DATABASE ${name} WITH (FORCE)`);
        await onServer(url, `CREATE DATABASE ${name}`);
      }
      await runPageCommand({ begins: 'pg_restore', database }, place);
    },
    drop: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * Copies a database within its server, where there is no pg_dump: PostgreSQL's npm package has none.
 * Nobody may be connected, so the service is stopped for it.
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
