import { stat } from 'node:fs/promises';
import { type Health, type Logger, type Metrics, pause, type Stoppable } from '@gudang/runtime';
import { loadSdl, loadSupergraph, supergraphPath } from '../supergraph.ts';
import { AppliedSupergraph } from './applied-supergraph.ts';
import type { SupergraphSource } from './supergraph-source.ts';

/** Polling interval in milliseconds. */
const POLL_INTERVAL_MS = 1_000;

/**
 * Reads the supergraph from a file, and applies it again when the file changes. It polls the file by
 * `stat`, because notifications of the operating system miss changes on network file systems, and
 * changes of a symbolic link in another folder (as when Kubernetes updates a ConfigMap). An invalid
 * file is logged and reported in `/readyz`, and the current supergraph stays in use.
 * @throws {StartError} if the file is missing or is not a supergraph
 */
export async function loadFromFile({
  path = supergraphPath,
  health,
  metrics,
  log,
  pollIntervalMs = POLL_INTERVAL_MS,
}: {
  path: string | undefined;
  health: Health;
  metrics: Metrics;
  log: Logger;
  pollIntervalMs?: number;
}): Promise<SupergraphSource> {
  const supergraph = await loadSupergraph(path);
  return {
    supergraph,
    start: (use) => {
      const current = supergraph.sdl;
      const applied = new AppliedSupergraph({ name: path, current, use, health, metrics, log });
      return startPolling(path, applied, pollIntervalMs);
    },
  };
}

function startPolling(path: string, applied: AppliedSupergraph, intervalMs: number): Stoppable {
  const stopping = new AbortController();
  let tried: string | undefined;
  let seen: string | undefined;

  const load = async (): Promise<void> => {
    try {
      applied.offer(await loadSdl(path));
    } catch (error) {
      applied.refuse((error as Error).message);
    }
  };
  const poll = async (): Promise<void> => {
    const signature = await signatureOf(path);
    const settled = signature === seen;
    seen = signature;
    // Load a file only if two polls have found it unchanged, because a file that is still changing
    // may be incomplete.
    if (!settled || signature === tried) return;
    tried = signature;
    await load();
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await poll();
      await pause(intervalMs, stopping.signal);
    }
  };
  const running = run();

  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return 'missing';
  }
}
