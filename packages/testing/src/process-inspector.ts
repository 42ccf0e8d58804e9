import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** Memory of a process in bytes, and its active resources. */
export interface ProcessMemory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /**
   * Number of timers, sockets and other handles by type, from `process.getActiveResourcesInfo()`.
   */
  readonly resources: Readonly<Record<string, number>>;
}

/**
 * Measures a process through Node's inspector, so the process needs no code of its own for this.
 */
export interface Inspected {
  /** Current memory, including garbage. */
  readonly sample: () => Promise<ProcessMemory>;
  /** Memory after garbage collection. */
  readonly collected: () => Promise<ProcessMemory>;
  readonly close: () => void;
}

/** Environment of a process that is to be inspected. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

const SAMPLE = `(() => {
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return JSON.stringify({ ...process.memoryUsage(), resources });
})()`;
/**
 * Number of garbage collections. One collection is not enough, because it may release the last
 * reference to other objects, for example through finalizers.
 */
const COLLECTIONS = 4;

/**
 * Connects to the inspector of a process that was started with `INSPECTABLE`.
 * @param output the process's output so far; after a restart, the output contains several
 *   addresses, and the last one is used
 */
export async function inspect(output: () => string): Promise<Inspected> {
  const url = await eventually(
    () => [...output().matchAll(/Debugger listening on (ws:\S+)/g)].at(-1)?.[1],
    (found) => found !== undefined,
    { until: 'the inspector listens' },
  );
  const socket = new WebSocket(url ?? '');
  await once(socket, 'open');
  const waiting = new Map<number, (result: { result: { value: string } }) => void>();
  let last = 0;
  socket.on('message', (data) => {
    const { id, result } = JSON.parse(String(data));
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  const ask = (method: string, params: object = {}) =>
    new Promise<{ result: { value: string } }>((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  const sample = async (): Promise<ProcessMemory> => {
    const { result } = await ask('Runtime.evaluate', { expression: SAMPLE });
    return JSON.parse(result.value);
  };
  return {
    sample,
    collected: async () => {
      for (let count = 0; count < COLLECTIONS; count += 1) await ask('HeapProfiler.collectGarbage');
      return sample();
    },
    close: () => socket.terminate(),
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
