import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds, asking often; it rejects after the limit (milliseconds). */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit = 15_000,
): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: still not so after ${limit} ms`);
    await sleep(10);
  }
}
