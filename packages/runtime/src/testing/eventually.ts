import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until a condition holds. Rejects after `limit` milliseconds. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit = 15_000,
): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not true after ${limit} ms`);
    await sleep(10);
  }
}
