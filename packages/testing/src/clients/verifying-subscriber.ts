import { startLive } from './live-client.ts';

/** A live client that keeps what it was shown, to be held against the database. */
export interface LiveWitness {
  /** What of it is not as it was promised, given each stock's state in the database; nothing when all is. */
  readonly faults: (
    stored: ReadonlyMap<string, { readonly version: number; readonly quantity: number }>,
  ) => readonly string[];
  readonly connections: () => number;
  /** How often a stock was shown as it is, in place of its changes. */
  readonly snapshots: () => number;
  readonly close: () => Promise<void>;
}

interface Change {
  readonly stockChanged: {
    readonly kind: string;
    readonly cursor: string;
    readonly stock: { readonly id: string; readonly version: number; readonly quantity: number };
  };
}

const STOCK_CHANGED = `subscription ($ids: [ID!], $after: String) {
  stockChanged(ids: $ids, after: $after) { kind cursor stock { id version quantity } } }`;

/**
 * Watches stocks from a cursor on, through every loss of its connection. Without a snapshot it wants
 * to see each version, or be told that it was conflated: then from a cursor of before the first one.
 */
export async function startLiveWitness({
  url,
  ids,
  after,
}: {
  url: string;
  ids: readonly string[];
  after: string;
}): Promise<LiveWitness> {
  const live = await startLive<Change>({
    url: `${url}/graphql`,
    query: STOCK_CHANGED,
    variables: { ids, after },
    resume: (last) => ({ ids, after: last?.stockChanged.cursor ?? after }),
  });

  return {
    faults: (stored) => {
      const faults = live.errors().map(({ message }) => `an error: ${message}`);
      if (live.completed()) faults.push('it was completed');
      const conflated = live.events.reduce(
        (sum, { extensions }) => sum + (extensions?.live?.conflated ?? 0),
        0,
      );
      const changes = live.seen().map(({ stockChanged }) => stockChanged);
      let missing = 0;
      for (const id of ids) {
        const ofOne = changes.filter(({ stock }) => stock.id === id);
        const versions = ofOne.map(({ stock }) => stock.version);
        for (const [index, { kind, stock }] of ofOne.entries()) {
          const before = versions[index - 1] ?? 0;
          // A snapshot says how things are, whatever was shown: a database may have been restored.
          if (kind === 'SNAPSHOT' || stock.version > before) continue;
          faults.push(`${id} went from version ${before} to ${stock.version}`);
        }
        const last = ofOne.at(-1)?.stock;
        const { version = 0, quantity = 0 } = stored.get(id) ?? {};
        if (last?.version !== version || last.quantity !== quantity) {
          faults.push(`${id} ended with ${JSON.stringify(last)}, not version ${version}`);
        }
        missing += version - new Set(versions).size;
      }
      if (missing !== conflated && !changes.some(({ kind }) => kind === 'SNAPSHOT')) {
        faults.push(`${missing} states were not shown, ${conflated} of them conflated`);
      }
      return faults;
    },
    connections: live.connections,
    snapshots: () =>
      live.seen().filter(({ stockChanged }) => stockChanged.kind === 'SNAPSHOT').length,
    close: live.close,
  };
}
