import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const git = async (...args: string[]): Promise<string> =>
  (await run('git', args, { cwd: repository })).stdout.trim();

export interface PreviousRelease {
  /** Folder with the release's sources. */
  readonly directory: string;
  /** Returns the path of the script that runs a subgraph. */
  readonly scriptOf: (service: 'order' | 'stock') => string;
  /** Environment variables that let Node run the TypeScript sources without a build. */
  readonly environment: Readonly<Record<string, string>>;
  readonly remove: () => Promise<void>;
}

/**
 * Finds the newest migration and the commit before it, which serves as the previous release. Returns
 * undefined if the git history is missing, as in a shallow clone.
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
    // Without a commit that adds the migration, it is not committed yet, so HEAD is the previous release.
    const commit = await git('rev-parse', '--verify', '--quiet', added ? `${added}~1` : 'HEAD');
    return { commit, migration: newest.name };
  } catch {
    return undefined;
  }
}

/**
 * Unpacks a release into a temporary folder. The release uses the libraries that are installed now.
 * Instead of the current workspaces it uses its own, because they may differ.
 */
export async function unpackRelease(commit: string): Promise<PreviousRelease> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-release-'));
  const archive = 'git archive "$1" | tar -x -C "$2"';
  await run('sh', ['-c', archive, 'sh', commit, directory], { cwd: repository });
  await linkLibraries(join(repository, 'node_modules'), join(directory, 'node_modules'));
  await linkWorkspaces(directory);
  const subgraphs = ['order', 'stock'].map((name) => `--workspace=@gudang/${name}-subgraph`);
  await run('npm', ['run', 'generate', ...subgraphs], { cwd: directory });
  return {
    directory,
    scriptOf: (service) => join(directory, `${service}-subgraph/src/main.ts`),
    environment: {
      NODE_OPTIONS: `--conditions=source --import=${import.meta.resolve('tsx')}`,
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

async function linkLibraries(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const libraries = (await readdir(from)).filter((name) => name !== '@gudang');
  await Promise.all(libraries.map((name) => symlink(join(from, name), join(to, name))));
}

/** Links every workspace of `directory` into `directory/node_modules`, as npm does. */
async function linkWorkspaces(directory: string): Promise<void> {
  await mkdir(join(directory, 'node_modules/@gudang'));
  const { workspaces } = await readManifest(directory);
  for (const pattern of workspaces ?? []) {
    const parent = pattern.replace(/\/?\*$/, '');
    const folders =
      parent === pattern
        ? [pattern]
        : (await readdir(join(directory, parent))).map((name) => join(parent, name));
    for (const folder of folders) {
      if (!existsSync(join(directory, folder, 'package.json'))) continue;
      const { name } = await readManifest(join(directory, folder));
      await symlink(join(directory, folder), join(directory, 'node_modules', name));
    }
  }
}

async function readManifest(folder: string): Promise<{ name: string; workspaces?: string[] }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
