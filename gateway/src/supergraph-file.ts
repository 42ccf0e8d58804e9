import { stat } from 'node:fs/promises';
import {
  type Health,
  type Logger,
  type Metrics,
  OK,
  type PartState,
  pause,
  type Stoppable,
} from '@gudang/runtime';
import { type LoadedSupergraph, loadSdl, parseSupergraph, supergraphPath } from './supergraph.ts';

/** Polling interval in milliseconds. */
const POLL_INTERVAL_MS = 1_000;

/**
 * Reloads the supergraph's file when it changes. It polls the file by `stat`, because notifications
 * of the operating system miss changes on network file systems, and changes of a symbolic link in
 * another folder (as when Kubernetes updates a ConfigMap). An invalid file is logged and reported
 * in `/readyz`, and the current supergraph stays in use.
 * @param use applies a supergraph; throws if the supergraph cannot be used
 */
export function startSupergraphFile({
  path = supergraphPath,
  current,
  use,
  health,
  metrics,
  log,
  pollIntervalMs = POLL_INTERVAL_MS,
}: {
  path: string | undefined;
  /** Text of the supergraph in use. */
  current: string;
  use: (supergraph: LoadedSupergraph) => void;
  health: Health;
  metrics: Metrics;
  log: Logger;
  pollIntervalMs?: number;
}): Stoppable {
  const changes = metrics.counter(
    'gateway_supergraph_changes_total',
    'Changes of the supergraph file, by outcome',
    ['outcome'],
  );
  const stopping = new AbortController();
  let state: PartState = OK;
  let used = current;
  let tried: string | undefined;
  let seen: string | undefined;
  health.watch('supergraph', () => state);

  const load = async (): Promise<void> => {
    try {
      const sdl = await loadSdl(path);
      if (sdl !== used) {
        use(parseSupergraph(path, sdl));
        used = sdl;
        changes.inc({ outcome: 'used' });
        log.info({ path }, 'the supergraph has changed; the new one is in use');
      }
      state = OK;
    } catch (error) {
      changes.inc({ outcome: 'refused' });
      state = {
        state: 'degraded',
        reason: `${(error as Error).message}; the previous one remains in use`,
      };
      log.error({ path }, state.reason);
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
      await pause(pollIntervalMs, stopping.signal);
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
