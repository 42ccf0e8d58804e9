import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Installation folder on Debian. It contains one folder per version. */
const INSTALLED = '/usr/lib/postgresql';
const NEEDED = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];

export interface PostgresPrograms {
  readonly directory: string;
  /** Output of `pg_dump --version`, for example `pg_dump (PostgreSQL) 15.18`. */
  readonly version: string;
}

/**
 * Finds a complete PostgreSQL, with the programs that the npm package lacks: the one in the folder
 * POSTGRES_PROGRAMS or, if that variable is not set, the newest installed one. Returns undefined if
 * there is none.
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
