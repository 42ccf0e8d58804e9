import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

/** What a process keeps, in bytes, and what keeps it awake. */
export interface Held {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  /** Timers, sockets and the like, counted by their kind. */
  readonly resources: Readonly<Record<string, number>>;
}

/** A process seen through its inspector: it need know nothing of being measured. */
export interface Inspected {
  /** What it keeps now; RSS has garbage in it, the rest too. */
  readonly look: () => Promise<Held>;
  /** What it keeps once all garbage is gone. */
  readonly collected: () => Promise<Held>;
  readonly close: () => void;
}

/** For the environment of a process that is to be inspected. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

const LOOK = `(() => {
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return JSON.stringify({ ...process.memoryUsage(), resources });
})()`;
/** What a first collection frees may be what held the rest. */
const COLLECTIONS = 4;

/** @param output all that the process has written so far; the newest inspector in it is used */
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
  const look = async (): Promise<Held> => {
    const { result } = await ask('Runtime.evaluate', { expression: LOOK });
    return JSON.parse(result.value);
  };
  return {
    look,
    collected: async () => {
      for (let count = 0; count < COLLECTIONS; count += 1) await ask('HeapProfiler.collectGarbage');
      return look();
    },
    close: () => socket.terminate(),
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
