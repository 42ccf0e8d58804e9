import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const git = async (...args: string[]): Promise<string> =>
  (await run('git', args, { cwd: repository })).stdout.trim();

export interface PreviousRelease {
  /** The file that runs a subgraph. */
  readonly scriptOf: (service: 'order' | 'stock') => string;
  /** What it runs from its sources with: nothing of it is compiled. */
  readonly environment: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
}

/**
 * The last commit that did not know the newest migration, and the migration; undefined where the
 * history is not there, as in a shallow clone.
 */
export async function findPreviousRelease(): Promise<
  { readonly commit: string; readonly migration: string } | undefined
> {
  const folders = await Promise.all(
    ['order', 'stock'].map(async (side) => {
      const names = await readdir(join(repository, 'prisma', side, 'migrations'));
      return names.filter((name) => /^\d/.test(name)).map((name) => ({ side, name }));
    }),
  );
  const [newest] = folders.flat().toSorted((one, other) => (one.name < other.name ? 1 : -1));
  if (!newest) return undefined;
  const file = `prisma/${newest.side}/migrations/${newest.name}/migration.sql`;
  try {
    const added = await git('log', '--diff-filter=A', '--format=%H', '-1', '--', file);
    // One that is not committed yet is newer than all that is.
    const commit = await git('rev-parse', '--verify', '--quiet', added ? `${added}~1` : 'HEAD');
    return { commit, migration: newest.name };
  } catch {
    return undefined;
  }
}

/** Its sources, in a folder of their own, over the libraries that are installed now. */
export async function unpackRelease(commit: string): Promise<PreviousRelease> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-release-'));
  const archive = 'git archive "$1" | tar -x -C "$2"';
  await run('sh', ['-c', archive, 'sh', commit, directory], { cwd: repository });
  await linkLibraries(join(repository, 'node_modules'), join(directory, 'node_modules'));
  const subgraphs = ['order', 'stock'].map((name) => `--workspace=@gudang/${name}-subgraph`);
  await run('npm', ['run', 'generate', ...subgraphs], { cwd: directory });
  return {
    scriptOf: (service) => join(directory, `${service}-subgraph/src/main.ts`),
    environment: {
      NODE_OPTIONS: `--conditions=source --import=${import.meta.resolve('tsx')}`,
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Links to workspaces are relative, so that here they lead to the release's own. */
async function linkLibraries(from: string, to: string): Promise<void> {
  const own = join(to, '@gudang');
  await mkdir(own, { recursive: true });
  const libraries = (await readdir(from)).filter((name) => name !== '@gudang');
  await Promise.all(libraries.map((name) => symlink(join(from, name), join(to, name))));
  for (const name of await readdir(join(from, '@gudang'))) {
    await symlink(await readlink(join(from, '@gudang', name)), join(own, name));
  }
}
