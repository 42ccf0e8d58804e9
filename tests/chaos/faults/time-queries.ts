import { setTimeout as pause } from 'node:timers/promises';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import { ask } from '../load/ask.ts';

const EVERY_MS = 50;
const QUERY = '{ orders(first: 1) { nodes { id } } }';

/** How long a query takes that has nothing to do with Kafka: the measure of how busy the machine is. */
export function timeQueries(parts: readonly ServiceProcess[]) {
  const times: number[] = [];
  const stopping = new AbortController();
  const timing = parts.map(async ({ url }) => {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      await ask(url, QUERY, {});
      times.push(performance.now() - began);
      await pause(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  });
  return {
    /** @returns in milliseconds, each */
    stop: async (): Promise<readonly number[]> => {
      stopping.abort();
      await Promise.all(timing);
      return times;
    },
  };
}
