import { WebSocket } from 'ws';

const QUERY =
  'subscription ($after: String, $ids: [ID!]) { stockChanged(after: $after, ids: $ids) { cursor kind at stock { id version } order { id } } }';

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
  /** Current states that it was shown in place of changes. */
  readonly snapshots: () => number;
  readonly watches: (id: string) => boolean;
  readonly connected: () => boolean;
  /** Cuts the connection without a goodbye. */
  readonly cut: () => void;
  readonly connect: (after?: string) => Promise<void>;
  readonly cursor: () => string | undefined;
  readonly pause: (paused: boolean) => void;
}

export interface Watched {
  readonly after?: string | undefined;
  /** All stocks unless told otherwise. */
  readonly ids?: readonly string[];
  readonly onChange?: (change: WatchedChange) => void;
}

export interface WatchedChange {
  readonly kind: string;
  /** When it was made. */
  readonly at: string;
  readonly stock: { readonly id: string; readonly version: number };
  readonly order: { readonly id: string } | null;
}

export function createWatchingClient(
  url: string,
  { after, ids, onChange }: Watched = {},
): WatchingClient {
  const versions = new Map<string, number>();
  const faults: string[] = [];
  let socket: WebSocket | undefined;
  let cursor = after;
  let missing = 0;
  let conflated = 0;
  let received = 0;
  let snapshots = 0;
  /** Whether the last changes were of a snapshot, which ends with those deleted since. */
  let inSnapshot = false;

  const take = (text: string): void => {
    const { type, payload } = JSON.parse(text);
    if (type === 'error' || payload?.errors) faults.push(text);
    if (type !== 'next' || !payload.data) return;
    const { cursor: at, kind, stock } = payload.data.stockChanged;
    received += 1;
    cursor = at;
    if (kind === 'SNAPSHOT') snapshots += 1;
    inSnapshot = kind === 'SNAPSHOT' || (inSnapshot && kind === 'DELETED');
    conflated += payload.extensions?.live?.conflated ?? 0;
    const known = versions.get(stock.id);
    if (known !== undefined && stock.version <= known && !inSnapshot) {
      faults.push(`${stock.id} went from version ${known} to ${stock.version}`);
    }
    if (known !== undefined && !inSnapshot) {
      missing += Math.max(0, stock.version - known - 1);
    }
    versions.set(stock.id, Math.max(known ?? 0, stock.version));
    onChange?.(payload.data.stockChanged);
  };

  return {
    versions,
    faults,
    missing: () => missing,
    conflated: () => conflated,
    received: () => received,
    snapshots: () => snapshots,
    watches: (id) => ids?.includes(id) ?? true,
    connected: () => socket?.readyState === WebSocket.OPEN,
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
