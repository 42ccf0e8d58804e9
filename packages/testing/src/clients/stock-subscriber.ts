import { WebSocket } from 'ws';

const QUERY =
  'subscription ($after: String, $ids: [ID!]) { stockChanged(after: $after, ids: $ids) { cursor kind at stock { id version } order { id } } }';

/** A subscriber that records the highest version of each stock and resumes from its last cursor. */
export interface StockSubscriber {
  /** Highest received version of each stock. */
  readonly versions: ReadonlyMap<string, number>;
  /** Faults: versions that decreased, errors, and connections that the server closed. */
  readonly faults: readonly string[];
  /** Number of versions that the subscriber did not receive. */
  readonly missing: () => number;
  /** Number of events that the gateway reported as conflated. */
  readonly conflated: () => number;
  readonly received: () => number;
  /** Number of SNAPSHOT events. */
  readonly snapshots: () => number;
  readonly watches: (id: string) => boolean;
  readonly connected: () => boolean;
  /** Terminates the connection without a close frame. */
  readonly cut: () => void;
  readonly connect: (after?: string) => Promise<void>;
  readonly cursor: () => string | undefined;
  readonly pause: (paused: boolean) => void;
}

export interface StockSubscriberOptions {
  readonly after?: string | undefined;
  /** Default: all stocks. */
  readonly ids?: readonly string[];
  readonly onChange?: (change: StockChange) => void;
}

export interface StockChange {
  readonly kind: string;
  /** Time of the change, ISO 8601. */
  readonly at: string;
  readonly stock: { readonly id: string; readonly version: number };
  readonly order: { readonly id: string } | null;
}

export function createStockSubscriber(
  url: string,
  { after, ids, onChange }: StockSubscriberOptions = {},
): StockSubscriber {
  const versions = new Map<string, number>();
  const faults: string[] = [];
  let socket: WebSocket | undefined;
  let cursor = after;
  let missing = 0;
  let conflated = 0;
  let received = 0;
  let snapshots = 0;
  /**
   * Whether the most recent event belongs to a snapshot. The last events of a snapshot are the
   * stocks that were deleted since the cursor.
   */
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
    const previous = versions.get(stock.id);
    if (previous !== undefined && stock.version <= previous && !inSnapshot) {
      faults.push(`${stock.id} went from version ${previous} to ${stock.version}`);
    }
    if (previous !== undefined && !inSnapshot) {
      missing += Math.max(0, stock.version - previous - 1);
    }
    versions.set(stock.id, Math.max(previous ?? 0, stock.version));
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
