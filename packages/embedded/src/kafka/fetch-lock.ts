import { open, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Interval at which the holder of a lock renews it, in milliseconds. */
const RENEW_MS = 500;
/** Age of a lock after which its holder is considered killed, in milliseconds. */
const ABANDONED_AFTER_MS = 5_000;
const POLL_MS = 200;

/**
 * Runs a task while no other process runs it under the same lock. Waits for other processes. The lock is a
 * file that its holder renews, so that the lock of a killed process is abandoned after 5 s.
 * @param lock the path of the file. Its folder must exist
 * @param signal aborts the wait
 */
export async function withFetchLock(
  lock: string,
  signal: AbortSignal | undefined,
  task: () => Promise<void>,
): Promise<void> {
  while (!(await take(lock))) await sleep(POLL_MS, undefined, signal ? { signal } : {});
  const renewing = setInterval(() => {
    const now = new Date();
    void utimes(lock, now, now).catch(() => {});
  }, RENEW_MS);
  try {
    await task();
  } finally {
    clearInterval(renewing);
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  if (found && Date.now() - found.mtimeMs < ABANDONED_AFTER_MS) return false;
  await rm(lock, { force: true });
  return open(lock, 'wx').then(
    async (file) => {
      await file.close();
      return true;
    },
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}
