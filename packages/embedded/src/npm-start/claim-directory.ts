import { rmSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { StartError } from '@gudang/runtime/errors';
import { killChildren } from '../processes/child.ts';
import { isOurs, readPid, stopLeftover } from '../processes/leftover.ts';
import { pidFileOf, type ServiceName, type Services } from './service-plan.ts';

/**
 * Claims the data directory for this process until it exits. Without the claim, a second start in
 * the same directory would take the first start's parts for leftovers and stop them, and a reset would
 * delete data in use.
 * @throws {StartError} if another process has claimed the directory, or if it is not writable
 */
export async function claimDirectory(directory: string): Promise<void> {
  const run = join(directory, 'run');
  await mkdir(run, { recursive: true }).catch((error: Error) => {
    throw new StartError(`${error.message}. Set GUDANG_DIR to a writable folder`);
  });
  const lock = join(run, 'start.pid');
  await claim(lock);
  process.once('exit', () => {
    killChildren();
    rmSync(lock, { force: true });
  });
}

async function claim(lock: string): Promise<void> {
  const holder = await readPid(lock);
  if (holder !== undefined && (await isOurs(holder, await scriptOf(lock)))) {
    throw new StartError(
      `Gudang is already running in this directory (process ${holder}). Stop it first, ` +
        'or set GUDANG_DIR and the ports to run a second one',
    );
  }
  await rm(lock, { force: true });
  const handle = await open(lock, 'wx').catch(() => {
    throw new StartError('Another process is starting Gudang in this directory');
  });
  await handle.writeFile(`${process.pid}\n${scriptName()}\n`);
  await handle.close();
}

/** Returns the name of the script that wrote the lock; of this script if the lock names none. */
async function scriptOf(lock: string): Promise<string> {
  const [, name] = (await readFile(lock, 'utf8').catch(() => '')).split('\n');
  return name?.trim() || scriptName();
}

/**
 * Returns the last two segments of the script's path. They identify this script in another
 * process's command line even if that command line contains a relative path.
 */
function scriptName(): string {
  return (process.argv[1] ?? '').split(sep).slice(-2).join(sep);
}

/**
 * Stops the processes that a killed `npm start` left running in this directory: first the services, then
 * Kafka and PostgreSQL.
 */
export async function stopLeftovers(
  directory: string,
  services: Services,
  log: (line: string) => void,
): Promise<void> {
  const pids = await Promise.all(
    (Object.keys(services) as ServiceName[]).map((name) =>
      stopLeftover(pidFileOf(directory, name), services[name].script),
    ),
  );
  const kafka = join(directory, 'kafka');
  const postgres = join(directory, 'postgres');
  pids.push(
    ...(await Promise.all([
      stopLeftover(join(kafka, 'kafka.pid'), kafka),
      stopLeftover(join(postgres, 'postgres.pid'), postgres, 'SIGINT'),
    ])),
  );
  const found = pids.filter((pid) => pid !== undefined);
  if (found.length > 0) {
    log(`Stopped processes of an earlier start that was killed (${found.join(', ')})`);
  }
}
