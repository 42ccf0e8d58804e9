import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIZE = '256m';

/** A folder that can be filled up. */
export interface SmallDisk {
  readonly directory: string;
  /** Why it cannot be filled up: then it is a folder like any other. */
  readonly unavailable: string | undefined;
  /** Leaves no room for anybody. */
  readonly fill: () => Promise<void>;
  readonly clear: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A file system in memory, where mounting one is permitted: a full disk needs one of its own. */
export async function createSmallDisk(directory: string): Promise<SmallDisk> {
  await mkdir(directory, { recursive: true });
  const filler = join(directory, 'filler');
  const unavailable = await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory])
    .then(() => undefined)
    .catch((error: Error) => `a small disk cannot be mounted here (${error.message.trim()})`);
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
