import type pg from 'pg';
import { applyMigrations } from './apply-migrations.ts';
import { connect } from './connect.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { type DatabaseName, MigrateError } from './databases.ts';
import { loadMigrationFiles, migrationsDirectory } from './migration-files.ts';

/**
 * Key of our own advisory lock. It is necessary because the engine takes Prisma's lock (72707369) on a
 * connection that we do not control.
 */
const LOCK_KEY = 7_270_737_001;
const WAIT_MS = 30_000;

export interface MigrateOptions {
  database: DatabaseName;
  url: string;
  /** The name of the setting with the URL, for messages. Default: the database's setting. */
  setting?: string | undefined;
  /** Called with one line for each step. Default: logs nothing. */
  log?: (line: string) => void;
  /** The folder of the migrations. Default: the folder in this package. */
  directory?: string;
  /**
   * Time during which the connection is retried if the server does not answer, in milliseconds. Default:
   * 30,000.
   */
  waitMs?: number;
}

export interface MigrateResult {
  /** The names of the migrations that this call applied. The list is empty if the database was up to date. */
  applied: string[];
}

/**
 * Applies the pending migrations of one database, and creates the database if it does not exist.
 * Concurrent calls apply each migration once.
 * @throws {MigrateError} whose message contains the database and the correction
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const { database, log = () => {}, waitMs = WAIT_MS } = options;
  const target = parseDatabaseUrl(database, options.url, options.setting);
  const files = await loadMigrationFiles(options.directory ?? migrationsDirectory(database));
  const client = await connect(target, { setting: target.setting, waitMs, log });
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

/**
 * Takes the migration lock. The lock is held until the connection closes, so a killed migration releases
 * the lock.
 */
async function lock(client: pg.Client, onWait: () => void): Promise<void> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1::bigint) AS got', [LOCK_KEY]);
  if (rows[0].got) return;
  onWait();
  await client.query('SELECT pg_advisory_lock($1::bigint)', [LOCK_KEY]);
}
