import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from './service-process.ts';

const EVERY_MS = 200;

/** Polls `/readyz` of each process and counts responses other than 200. */
export function startReadinessMonitor(parts: readonly ServiceProcess[]) {
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
    /** @returns the number of responses other than 200 */
    stop: async (): Promise<number> => {
      stopping.abort();
      await watching;
      return unready;
    },
  };
}
