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

/** How often the file is looked at, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Looks whether the supergraph's file has changed, and takes it into use. A look by stat and not by
 * the system's notices: these miss a symbolic link that changes elsewhere (as Kubernetes swaps
 * ConfigMaps) and network file systems. Whatever cannot be used is told, and the one before goes on.
 * @param use throws when the supergraph cannot be used
 */
export function startSupergraphFile({
  path = supergraphPath,
  current,
  use,
  health,
  metrics,
  log,
  lookEveryMs = LOOK_EVERY_MS,
}: {
  path: string | undefined;
  /** The text that is in use. */
  current: string;
  use: (supergraph: LoadedSupergraph) => void;
  health: Health;
  metrics: Metrics;
  log: Logger;
  lookEveryMs?: number;
}): Stoppable {
  const changes = metrics.counter(
    'gateway_supergraph_changes_total',
    'Times that the file of the supergraph changed, by whether it could be used',
    ['outcome'],
  );
  const stopping = new AbortController();
  let state: PartState = OK;
  let used = current;
  let tried: string | undefined;
  let seen: string | undefined;
  health.watch('supergraph', () => state);

  const take = async (): Promise<void> => {
    try {
      const sdl = await loadSdl(path);
      if (sdl !== used) {
        use(parseSupergraph(path, sdl));
        used = sdl;
        changes.inc({ outcome: 'used' });
        log.info({ path }, 'the supergraph has changed: the new one is in use');
      }
      state = OK;
    } catch (error) {
      changes.inc({ outcome: 'refused' });
      state = { state: 'degraded', reason: `${(error as Error).message}; the one before goes on` };
      log.error({ path }, state.reason);
    }
  };
  const look = async (): Promise<void> => {
    const signature = await signatureOf(path);
    const settled = signature === seen;
    seen = signature;
    // Only what two looks have found the same: it may be half written.
    if (!settled || signature === tried) return;
    tried = signature;
    await take();
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look();
      await pause(lookEveryMs, stopping.signal);
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
