import { setTimeout as pause } from 'node:timers/promises';
import { type LiveClient, startLive } from './live-client.ts';

const ORDER_CHANGED = `subscription ($id: ID!) { orderChanged(id: $id) { status } }`;
const LOOK_EVERY_MS = 100;

interface Changed {
  readonly orderChanged: { readonly status: string };
}

/** What one live client has seen of one order, in order, over all its connections. */
export interface OrderWatcher {
  readonly name: string;
  readonly orderId: string;
  /** Statuses. */
  readonly seen: readonly string[];
  /** Whether the server said that it is over, as it does after the decision. */
  readonly completed: boolean;
  readonly errors: readonly string[];
}

export interface RunningOrderWatcher {
  readonly watched: () => OrderWatcher;
  readonly close: () => Promise<void>;
}

/**
 * A live client that follows one order to its end. It comes back after a lost connection, and asks again when it was
 * told that it may: a stream cannot begin while the database is down.
 * @param lasting once begun, the stream may not be interrupted by any error: the gateway's promise
 */
export function startOrderWatcher({
  name,
  url,
  orderId,
  lasting,
}: {
  name: string;
  url: () => string;
  orderId: string;
  lasting: boolean;
}): RunningOrderWatcher {
  const variables = { id: orderId };
  const lives: LiveClient<Changed>[] = [];
  const stopping = new AbortController();
  const rest = (): Promise<void> =>
    pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
  const mayAskAgain = (live: LiveClient<Changed>): boolean =>
    live.errors().every(({ extensions }) => extensions?.['retryable'] === true) &&
    (!lasting || live.seen().length === 0);
  const isOver = (live: LiveClient<Changed>): boolean =>
    live.completed() || live.errors().length > 0;

  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const live = await startLive<Changed>({
        url: () => `${url()}/graphql`,
        query: ORDER_CHANGED,
        variables,
        resume: () => variables,
      }).catch(() => undefined);
      if (live) {
        lives.push(live);
        while (!isOver(live) && !stopping.signal.aborted) await rest();
        await live.close();
        if (live.completed() || !mayAskAgain(live)) return;
      }
      await rest();
    }
  };
  const following = follow();

  return {
    watched: () => ({
      name,
      orderId,
      seen: lives.flatMap((live) => live.seen().map(({ orderChanged }) => orderChanged.status)),
      completed: lives.some((live) => live.completed()),
      errors: lives
        .filter((live) => !mayAskAgain(live))
        .flatMap((live) => live.errors().map(({ message }) => message)),
    }),
    close: async () => {
      stopping.abort();
      await following;
    },
  };
}
