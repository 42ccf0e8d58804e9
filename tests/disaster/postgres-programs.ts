import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Debian and its like keep theirs, a folder a version. */
const INSTALLED = '/usr/lib/postgresql';
const NEEDED = ['initdb', 'postgres', 'pg_dump', 'pg_restore'];

export interface PostgresPrograms {
  readonly directory: string;
  /** Such as `pg_dump (PostgreSQL) 15.18`. */
  readonly version: string;
}

/**
 * A whole PostgreSQL, with the programs that npm's lacks: of the folder POSTGRES_PROGRAMS, or the newest one installed;
 * undefined when there is none.
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
  if (given) throw new Error(`POSTGRES_PROGRAMS: ${given} lacks some of ${NEEDED.join(', ')}`);
  return undefined;
}
