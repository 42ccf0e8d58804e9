import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE = '256m';

/** A folder on a small file system, which tests can fill completely. */
export interface SmallDisk {
  readonly directory: string;
  /** Reason why no small file system could be mounted. If present, the folder must not be filled. */
  readonly unavailable: string | undefined;
  /** Writes files until the file system is full. */
  readonly fill: () => Promise<void>;
  readonly clear: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Mounts a small file system in memory, so that a full disk affects nothing else. Without permission to
 * mount, the folder is on the machine's disk and `unavailable` is set.
 */
export async function createSmallDisk(directory: string): Promise<SmallDisk> {
  await mkdir(directory, { recursive: true });
  const filler = join(directory, 'filler');
  const unavailable = await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory])
    .then(() => undefined)
    .catch((error: Error) => `mounting a tmpfs failed (${error.message.trim()})`);
  return {
    directory,
    unavailable,
    fill: async () => {
      const { bavail, bsize } = await statfs(directory);
      await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => {});
    },
    clear: () => rm(filler, { force: true }),
    stop: async () => {
      if (!unavailable) await run('umount', [directory]);
    },
  };
}
