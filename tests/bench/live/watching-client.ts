import { WebSocket } from 'ws';

const QUERY =
  'subscription ($after: String, $ids: [ID!]) { stockChanged(after: $after, ids: $ids) { cursor kind stock { id version } } }';

/** A client that keeps the highest version of each stock, and goes on from its last cursor. */
export interface WatchingClient {
  /** The newest version of each stock that it has seen. */
  readonly versions: ReadonlyMap<string, number>;
  /** What went wrong: versions that went back or were missing, errors, closes it did not ask for. */
  readonly faults: readonly string[];
  /** Versions of stocks that it was never shown, and events that it was told were conflated. */
  readonly missing: () => number;
  readonly conflated: () => number;
  readonly received: () => number;
  /** Cuts the connection without a goodbye. */
  readonly cut: () => void;
  readonly connect: (after?: string) => Promise<void>;
  readonly cursor: () => string | undefined;
  readonly pause: (paused: boolean) => void;
}

export function createWatchingClient(
  url: string,
  { after, ids }: { after?: string | undefined; ids?: readonly string[] } = {},
): WatchingClient {
  const versions = new Map<string, number>();
  const faults: string[] = [];
  let socket: WebSocket | undefined;
  let cursor = after;
  let missing = 0;
  let conflated = 0;
  let received = 0;

  const take = (text: string): void => {
    const { type, payload } = JSON.parse(text);
    if (type === 'error' || payload?.errors) faults.push(text);
    if (type !== 'next' || !payload.data) return;
    const { cursor: at, kind, stock } = payload.data.stockChanged;
    received += 1;
    cursor = at;
    conflated += payload.extensions?.live?.conflated ?? 0;
    const known = versions.get(stock.id);
    if (known !== undefined && stock.version <= known && kind !== 'SNAPSHOT') {
      faults.push(`${stock.id} went from version ${known} to ${stock.version}`);
    }
    if (known !== undefined && kind !== 'SNAPSHOT') {
      missing += Math.max(0, stock.version - known - 1);
    }
    versions.set(stock.id, Math.max(known ?? 0, stock.version));
  };

  return {
    versions,
    faults,
    missing: () => missing,
    conflated: () => conflated,
    received: () => received,
    cursor: () => cursor,
    cut: () => {
      socket?.removeAllListeners('close');
      socket?.removeAllListeners('message');
      socket?.terminate();
    },
    pause: (paused) => (paused ? socket?.pause() : socket?.resume()),
    connect: async (from = cursor) => {
      const opened = new WebSocket(url, 'graphql-transport-ws');
      socket = opened;
      await new Promise((resolve, reject) => {
        opened.once('open', resolve);
        opened.once('error', reject);
      });
      opened.on('error', () => {});
      opened.on('close', (code) => void faults.push(`closed with ${code}`));
      opened.send('{"type":"connection_init"}');
      await new Promise((resolve) => opened.once('message', resolve));
      opened.on('message', (data) => take(String(data)));
      const variables = { after: from ?? null, ids: ids ?? null };
      opened.send(
        JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables } }),
      );
    },
  };
}
