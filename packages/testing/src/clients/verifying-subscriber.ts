import { startLiveClient } from './live-client.ts';

/** A subscriber that records all events and compares them with the database. */
export interface VerifyingSubscriber {
  /**
   * Compares the events with each stock's state in the database. Returns the violations; empty if
   * there are none.
   */
  readonly faults: (
    stored: ReadonlyMap<string, { readonly version: number; readonly quantity: number }>,
  ) => readonly string[];
  readonly connections: () => number;
  /** Number of SNAPSHOT events. */
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
 * Subscribes to stocks from a cursor on, and resumes after each lost connection. If no snapshot is
 * sent, each version must be received or reported as conflated. This check requires that `after` is
 * a cursor from before the first version.
 */
export async function startVerifyingSubscriber({
  url,
  ids,
  after,
}: {
  url: string;
  ids: readonly string[];
  after: string;
}): Promise<VerifyingSubscriber> {
  const live = await startLiveClient<Change>({
    url: `${url}/graphql`,
    query: STOCK_CHANGED,
    variables: { ids, after },
    resume: (last) => ({ ids, after: last?.stockChanged.cursor ?? after }),
  });

  return {
    faults: (stored) => {
      const faults = live.errors().map(({ message }) => `error: ${message}`);
      if (live.completed()) faults.push('the server completed the stream');
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
          // A snapshot may show an older version, because the database may have been restored from
          // a backup.
          if (kind === 'SNAPSHOT' || stock.version > before) continue;
          faults.push(`${id} went from version ${before} to ${stock.version}`);
        }
        const last = ofOne.at(-1)?.stock;
        const { version = 0, quantity = 0 } = stored.get(id) ?? {};
        if (last?.version !== version || last.quantity !== quantity) {
          faults.push(
            `the last event of ${id} is ${JSON.stringify(last)}, but the database has version ${version}`,
          );
        }
        missing += version - new Set(versions).size;
      }
      if (missing !== conflated && !changes.some(({ kind }) => kind === 'SNAPSHOT')) {
        faults.push(
          `${missing} versions were not received, but only ${conflated} were reported as conflated`,
        );
      }
      return faults;
    },
    connections: live.connections,
    snapshots: () =>
      live.seen().filter(({ stockChanged }) => stockChanged.kind === 'SNAPSHOT').length,
    close: live.close,
  };
}
