import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../docs/snippets.ts';
import { readerEnvironment } from '../guides/guide-process.ts';

const run = promisify(execFile);

/** The gateway's package in an otherwise empty folder. */
export interface PackedGateway {
  readonly folder: string;
  /** File name of the tarball in the folder. */
  readonly tarball: string;
  /** Files of the package. */
  readonly files: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Packs the built gateway into an empty temporary folder. */
export async function packGateway(): Promise<PackedGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gudang-gateway-'));
  const args = ['pack', '--workspace', '@gudang/gateway', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', [...args, '--silent'], {
    cwd: repository,
    env: readerEnvironment(),
  });
  const [packed] = JSON.parse(stdout);
  return {
    folder,
    tarball: packed.filename,
    files: packed.files.map(({ path }: { path: string }) => path),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
