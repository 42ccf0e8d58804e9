import { setTimeout as pause } from 'node:timers/promises';
import type { Part } from './part.ts';

const EVERY_MS = 200;

/** Asks `/readyz` again and again. */
export function watchReadiness(parts: readonly Part[]) {
  const stopping = new AbortController();
  let unready = 0;
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const answers = await Promise.all(
        parts.map((part) => part.readiness().catch(() => ({ status: 0 }))),
      );
      unready += answers.filter(({ status }) => status !== 200).length;
      await pause(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    /** @returns how many answers were not 200 */
    stop: async (): Promise<number> => {
      stopping.abort();
      await watching;
      return unready;
    },
  };
}
