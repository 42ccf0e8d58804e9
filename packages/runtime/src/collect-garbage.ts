import { Session } from 'node:inspector/promises';

/**
 * Collects all garbage and gives its memory back, which stops the process for some 0.2 s. A start
 * leaves 20 to 35 MiB, and V8 would keep them until as much again has come: at rest, for good.
 * `gc()` collects as much and gives none of it back.
 */
export async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  session.disconnect();
}
