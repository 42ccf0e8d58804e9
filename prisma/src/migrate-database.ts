import type pg from 'pg';
import { applyMigrations } from './apply-migrations.ts';
import { connect } from './connect.ts';
import { readDatabaseUrl } from './database-url.ts';
import { type DatabaseName, databases } from './databases.ts';
import { MigrateError } from './migrate-error.ts';
import { migrationsDirectory, readMigrationFiles } from './migration-files.ts';

/** Not Prisma's own (72707369): the engine takes that one itself, on a connection that we do not hold. */
const LOCK_KEY = 7_270_737_001;
const WAIT_MS = 30_000;

export interface MigrateOptions {
  database: DatabaseName;
  url: string;
  /** Where progress goes; silent without it. */
  log?: (line: string) => void;
  /** Where the migrations are, when not in this package. */
  directory?: string;
  /** How long to wait for a server that does not answer, in milliseconds; 30,000 unless told otherwise. */
  waitMs?: number;
}

export interface MigrateResult {
  /** The names of the migrations that this call has applied; none when the database was up to date. */
  applied: string[];
}

/**
 * Brings one database up to date; creates it when the server has none of that name. Several at once do the work once.
 * @throws {MigrateError} whose message names the database and what to do
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const { database, log = () => {}, waitMs = WAIT_MS } = options;
  const target = readDatabaseUrl(database, options.url);
  const files = await readMigrationFiles(options.directory ?? migrationsDirectory(database));
  const { setting } = databases[database];
  const client = await connect(target, { setting, waitMs, log });
  try {
    await lock(client, () => log(`${target.label}: waiting for another migration to end`));
    const applied = await applyMigrations(target.url, target.schema, files);
    log(`${target.label}: ${applied.length > 0 ? `applied ${applied.join(', ')}` : 'up to date'}`);
    return { applied };
  } catch (error) {
    throw new MigrateError(`${target.label}: ${(error as Error).message}`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Held until the connection ends, so that a killed migration leaves no lock behind. */
async function lock(client: pg.Client, onWait: () => void): Promise<void> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1::bigint) AS got', [LOCK_KEY]);
  if (rows[0].got) return;
  onWait();
  await client.query('SELECT pg_advisory_lock($1::bigint)', [LOCK_KEY]);
}
