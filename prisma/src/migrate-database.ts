import type pg from 'pg';
import { applyMigrations } from './apply-migrations.ts';
import { connect } from './connect.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { type DatabaseName, databases, MigrateError } from './databases.ts';
import { loadMigrationFiles, migrationsDirectory } from './migration-files.ts';

/** Our own advisory lock. The engine takes Prisma's lock (72707369) on a connection that we do not control. */
const LOCK_KEY = 7_270_737_001;
const WAIT_MS = 30_000;

export interface MigrateOptions {
  database: DatabaseName;
  url: string;
  /** Receives a line for each step. Default: silent. */
  log?: (line: string) => void;
  /** The folder of the migrations. Default: the folder in this package. */
  directory?: string;
  /** How long to retry if the server does not answer, in milliseconds. Default: 30,000. */
  waitMs?: number;
}

export interface MigrateResult {
  /** The names of the migrations that this call applied; empty if the database was up to date. */
  applied: string[];
}

/**
 * Applies the pending migrations of one database, and creates the database if it does not exist.
 * Concurrent calls apply each migration once.
 * @throws {MigrateError} whose message names the database and what to do
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const { database, log = () => {}, waitMs = WAIT_MS } = options;
  const target = parseDatabaseUrl(database, options.url);
  const files = await loadMigrationFiles(options.directory ?? migrationsDirectory(database));
  const { setting } = databases[database];
  const client = await connect(target, { setting, waitMs, log });
  try {
    await lock(client, () => log(`${target.label}: waiting for another migration to finish`));
    const applied = await applyMigrations(target.url, target.schema, files);
    log(`${target.label}: ${applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date'}`);
    return { applied };
  } catch (error) {
    throw new MigrateError(`${target.label}: ${(error as Error).message}`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Takes the migration lock until the connection closes, so that a killed migration releases it. */
async function lock(client: pg.Client, onWait: () => void): Promise<void> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1::bigint) AS got', [LOCK_KEY]);
  if (rows[0].got) return;
  onWait();
  await client.query('SELECT pg_advisory_lock($1::bigint)', [LOCK_KEY]);
}
