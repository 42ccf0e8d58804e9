import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../docs/snippets.ts';
import { readerEnvironment } from './guide-process.ts';
import { GUIDES, type Guide, type GuideName, readGuide } from './read-guide.ts';

const run = promisify(execFile);
/**
 * Scope of packages that are linked from the repository and not installed: GraphQL Code Generator needs 290 of the 390
 * packages of all guides together.
 */
const LINKED = '@graphql-codegen';
const LOCK_FILE = join(repository, 'tests/guides/package-lock.json');

/** The guides' apps in a temporary folder, with their packages. */
export interface GuideWorkspace {
  readonly guides: ReadonlyMap<GuideName, Guide>;
  readonly folderOf: (name: GuideName) => string;
  readonly remove: () => Promise<void>;
}

export interface WorkspaceOptions {
  /** Address of the graph, in place of `http://localhost:4000`. */
  readonly gatewayUrl: string;
  /** Resolves the versions again and writes the lock file, instead of installing its versions. Default: false. */
  readonly updateLockFile?: boolean;
}

/**
 * Copies all guides to a temporary folder and installs their packages, the client from a tarball. One installation
 * with the versions of tests/guides/package-lock.json serves all guides, because separate ones take several times as long.
 */
export async function installGuides({
  gatewayUrl,
  updateLockFile = false,
}: WorkspaceOptions): Promise<GuideWorkspace> {
  const folder = await mkdtemp(join(tmpdir(), 'gudang-guides-'));
  const folderOf = (name: GuideName) => join(folder, name);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const guides = new Map(
      await Promise.all(GUIDES.map(async (name) => [name, await readGuide(name)] as const)),
    );
    const npm = (args: readonly string[], cwd: string) =>
      run('npm', args, { cwd, env: readerEnvironment() });
    await npm(['pack', '--workspace', '@gudang/client', '--pack-destination', folder], repository);
    for (const guide of guides.values()) await copyGuide(guide, folderOf(guide.name), gatewayUrl);
    const manifest = { name: 'gudang-guides', private: true, workspaces: GUIDES };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await cp(join(repository, '.npmrc'), join(folder, '.npmrc'));
    if (!updateLockFile) await cp(LOCK_FILE, join(folder, 'package-lock.json'));
    const install = updateLockFile ? 'install' : 'ci';
    await npm([install, '--prefer-offline', '--ignore-scripts'], folder);
    if (updateLockFile) await keepLockFile(folder);
    for (const path of [LINKED, '.bin/graphql-codegen']) {
      await symlink(join(repository, 'node_modules', path), join(folder, 'node_modules', path));
    }
    return { guides, folderOf, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Writes the lock file without the client's hash, which changes with each change of the client. */
async function keepLockFile(folder: string): Promise<void> {
  const lockFile = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
  delete lockFile.packages['node_modules/@gudang/client'].integrity;
  await writeFile(LOCK_FILE, `${JSON.stringify(lockFile, null, 2)}\n`);
}

async function copyGuide({ source, files }: Guide, target: string, gatewayUrl: string) {
  for (const [path, content] of files) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    const text = content.replaceAll('http://localhost:4000', gatewayUrl);
    await writeFile(join(target, path), text);
  }
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  const { '@gudang/client': client } = manifest.dependencies;
  // All guides share the tarball, so that it is installed once.
  manifest.dependencies['@gudang/client'] = client.replace('file:', 'file:../');
  for (const name of Object.keys(manifest.devDependencies ?? {})) {
    if (name.startsWith(`${LINKED}/`)) delete manifest.devDependencies[name];
  }
  await writeFile(join(target, 'package.json'), JSON.stringify(manifest));
}
