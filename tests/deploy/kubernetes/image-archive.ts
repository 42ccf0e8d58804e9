import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** An image of one layer, as `docker save` writes it. */
export interface ImageArchive {
  /** Its full name, such as `docker.io/gudang/gateway:0.9.0`. */
  readonly name: string;
  /** The folder that becomes its file system. */
  readonly root: string;
  readonly config: {
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
  };
}

/** Writes an image to a file that containerd imports. */
export async function writeImageArchive(
  { name, root, config }: ImageArchive,
  file: string,
): Promise<void> {
  const draft = await mkdtemp(`${file}.draft-`);
  try {
    const layer = join(draft, 'layer.tar');
    const owner = ['--owner=0', '--group=0', '--numeric-owner'];
    await exec('tar', [...owner, '-cf', layer, '-C', root, '.']);
    const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
    const image = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${await sha256(layer)}`] },
      history: [{ created_by: 'k8s:try' }],
    };
    await writeFile(join(draft, 'config.json'), JSON.stringify(image));
    await writeFile(join(draft, 'manifest.json'), JSON.stringify(manifest));
    const archive = join(draft, 'archive.tar');
    const parts = ['manifest.json', 'config.json', 'layer.tar'];
    await exec('tar', ['-cf', archive, '-C', draft, ...parts]);
    await rename(archive, file);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** Copies the shared libraries of programs and libraries of this machine into a file system. */
export async function copyLibraries(files: readonly string[], root: string): Promise<void> {
  const paths = new Set<string>();
  for (const file of files) {
    const { stdout } = await exec('ldd', [file]).catch(() => ({ stdout: '' }));
    for (const [, path] of stdout.matchAll(/(?:=> |^\s)(\/\S+) \(0x/gm)) {
      if (path && !path.startsWith(dirname(file))) paths.add(path);
    }
  }
  for (const path of paths) await copyInto(root, await realpath(path), path);
}

/** Copies a file of this machine to a path of a file system. */
export async function copyInto(root: string, from: string, path: string): Promise<void> {
  const target = join(root, path);
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await copyFile(from, target);
}
