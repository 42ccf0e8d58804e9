import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Folder in which Debian installs PostgreSQL, with one folder per version. */
const INSTALLED = '/usr/lib/postgresql';
const NEEDED = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];

export interface PostgresPrograms {
  readonly directory: string;
  /** Output of `pg_dump --version`, for example `pg_dump (PostgreSQL) 15.18`. */
  readonly version: string;
}

/**
 * Finds a PostgreSQL installation that includes the programs that the npm package lacks. If the
 * environment variable POSTGRES_PROGRAMS is set, it names the folder. Otherwise, the newest installation
 * is used. Returns undefined if none is found.
 * @throws if a program is missing in the folder POSTGRES_PROGRAMS
 */
export async function findPostgresPrograms(): Promise<PostgresPrograms | undefined> {
  const given = process.env['POSTGRES_PROGRAMS'];
  const versions = await readdir(INSTALLED).catch(() => []);
  const newest = versions.toSorted((one, other) => Number(other) - Number(one));
  const candidates = given ? [given] : newest.map((version) => join(INSTALLED, version, 'bin'));
  for (const directory of candidates) {
    const answers = NEEDED.map((program) =>
      promisify(execFile)(join(directory, program), ['--version']).catch(() => undefined),
    );
    const [, , dump] = await Promise.all(answers).then((all) =>
      all.includes(undefined) ? [] : all,
    );
    if (dump) return { directory, version: dump.stdout.trim() };
  }
  if (given) throw new Error(`POSTGRES_PROGRAMS: ${given} must contain ${NEEDED.join(', ')}`);
  return undefined;
}
