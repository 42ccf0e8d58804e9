import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = { order: 'order-subgraph', stock: 'stock-subgraph', gateway: 'gateway' } as const;
/** Is written when the build of a commit is complete, so that an interrupted build is repeated. */
const COMPLETE = '.complete';
const MAX_OUTPUT = 64 << 20;

/** A production build of this repository: of this checkout, of another one, or of a commit. */
export interface Build {
  /** Name in tables. */
  readonly name: string;
  /** Returns the path of a service's entry point. */
  readonly scriptOf: (service: keyof typeof FOLDERS) => string;
  /** Creates the tables of both databases with the build's own migrations. */
  readonly migrate: (urls: { readonly order: string; readonly stock: string }) => Promise<void>;
}

function buildIn(folder: string, name: string): Build {
  return {
    name,
    scriptOf: (service) => join(folder, FOLDERS[service], 'dist/main.js'),
    migrate: async ({ order, stock }) => {
      const env = { ...process.env, ORDER_DATABASE_URL: order, STOCK_DATABASE_URL: stock };
      await run(process.execPath, [join(folder, 'prisma/dist/migrate.js')], { env });
    },
  };
}

/** The build of this checkout. */
export const thisBuild = buildIn(repository, 'this');

/**
 * Returns the build of another checkout, or of a commit. A commit is unpacked into a temporary folder, and
 * installed and built there, unless an earlier run has done it.
 * @param what folder of a built checkout if it contains a `/`, else the name of a commit
 * @throws {Error} if the checkout is not built, or the commit does not exist or cannot be built
 */
export async function buildOf(what: string, print: (line: string) => void): Promise<Build> {
  if (what.includes('/')) {
    const build = buildIn(resolve(what), what);
    if (existsSync(build.scriptOf('gateway'))) return build;
    throw new Error(`${what} has no build: run "npx turbo run build" there`);
  }
  const { stdout } = await run('git', ['rev-parse', '--verify', `${what}^{commit}`], {
    cwd: repository,
  });
  const commit = stdout.trim();
  const folder = join(tmpdir(), `gudang-bench-${commit.slice(0, 12)}`);
  if (!existsSync(join(folder, COMPLETE))) {
    print(`Building ${what} in ${folder}: this takes some minutes, once`);
    await unpackAndBuild(commit, folder);
  }
  return buildIn(folder, what);
}

async function unpackAndBuild(commit: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const archive = 'git archive "$1" | tar -x -C "$2"';
  await run('sh', ['-c', archive, 'sh', commit, folder], { cwd: repository });
  const inFolder = { cwd: folder, maxBuffer: MAX_OUTPUT };
  await run('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], inFolder);
  const filters = ['gateway', 'order-subgraph', 'stock-subgraph', 'prisma'];
  await run(
    'npx',
    ['turbo', 'run', 'build', ...filters.map((name) => `--filter=@gudang/${name}`)],
    inFolder,
  );
  await writeFile(join(folder, COMPLETE), '');
}
