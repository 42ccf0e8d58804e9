import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseName } from './databases.ts';
import { MigrateError } from './databases.ts';

export interface MigrationFiles {
  directory: string;
  /** The content of migration_lock.toml; null if this file does not exist. */
  lockfile: string | null;
  /** The migrations, in the order in which they are applied. */
  migrations: { name: string; sql: string }[];
}

/** Returns the folder of a database's migrations. The relative path is the same from src/ and from dist/. */
export function migrationsDirectory(database: DatabaseName): string {
  return fileURLToPath(new URL(`../${database}/migrations/`, import.meta.url));
}

/** @throws {MigrateError} if there are no migrations or a folder contains no migration.sql */
export async function loadMigrationFiles(directory: string): Promise<MigrationFiles> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  if (names.length === 0) throw new MigrateError(`There are no migrations in ${directory}`);
  return {
    directory,
    lockfile: await readFile(join(directory, 'migration_lock.toml'), 'utf8').catch(() => null),
    migrations: await Promise.all(
      names.sort().map(async (name) => ({ name, sql: await readSql(directory, name) })),
    ),
  };
}

async function readSql(directory: string, name: string): Promise<string> {
  const file = join(directory, name, 'migration.sql');
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new MigrateError(`${file} cannot be read (${error.message})`);
  });
}
