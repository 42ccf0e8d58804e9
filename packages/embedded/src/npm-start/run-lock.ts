import { open, rm } from 'node:fs/promises';
import { sep } from 'node:path';
import { isOurs, readPid } from '../processes/leftover.ts';
import { StartError } from '../start-error.ts';

/**
 * Claims a folder for this process, by a file in it: a second start beside it would take the first one's parts for
 * leftovers.
 * @throws {StartError} when another process has it
 */
export async function claim(file: string): Promise<void> {
  const holder = await readPid(file);
  if (holder !== undefined && (await isOurs(holder, scriptName()))) {
    throw new StartError(
      `Gudang is running here already (process ${holder}). Stop that one first, ` +
        'or set GUDANG_DIR and the ports to run a second one',
    );
  }
  await rm(file, { force: true });
  const handle = await open(file, 'wx').catch(() => {
    throw new StartError('Gudang is being started here by another process at this moment');
  });
  await handle.writeFile(String(process.pid));
  await handle.close();
}

/** Its last two parts, for the command line may have it as a relative path. */
function scriptName(): string {
  return (process.argv[1] ?? '').split(sep).slice(-2).join(sep);
}
