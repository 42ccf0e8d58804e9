import { readFile, realpath } from 'node:fs/promises';
import { sep } from 'node:path';

/** File systems whose files are lost with a container, or when it stops. */
const VOLATILE = new Set(['overlay', 'aufs', 'tmpfs', 'ramfs']);

/**
 * Returns the type of a folder's file system if its files are lost with the container, for example
 * `overlay`. On other systems than Linux it returns undefined, as for a volume.
 * @param folder an existing folder
 */
export async function findVolatileFileSystem(folder: string): Promise<string | undefined> {
  try {
    const [path, mounts] = await Promise.all([
      realpath(folder),
      readFile('/proc/self/mountinfo', 'utf8'),
    ]);
    const type = fileSystemOf(path, mounts);
    return type !== undefined && VOLATILE.has(type) ? type : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the type of the file system that contains a path.
 * @param mounts text of `/proc/self/mountinfo`, see proc_pid_mountinfo(5)
 */
export function fileSystemOf(path: string, mounts: string): string | undefined {
  let found: { point: string; type: string | undefined } | undefined;
  for (const line of mounts.split('\n')) {
    const [mount = '', fileSystem = ''] = line.split(' - ');
    const point = unescaped(mount.split(' ')[4] ?? '');
    const contains = path === point || path.startsWith(point === sep ? sep : point + sep);
    // Of several mounts on the same point, the last one is visible.
    if (!point || !contains || point.length < (found?.point.length ?? 0)) continue;
    found = { point, type: fileSystem.split(' ')[0] };
  }
  return found?.type;
}

/** Spaces, tabs, newlines and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits) => String.fromCharCode(parseInt(digits, 8)));
}
