import { setTimeout as pause } from 'node:timers/promises';
import { type LiveClient, startLiveClient } from './live-client.ts';

const ORDER_CHANGED = `subscription ($id: ID!) { orderChanged(id: $id) { status } }`;
const POLL_EVERY_MS = 100;

interface Changed {
  readonly orderChanged: { readonly status: string };
}

/**
 * The events of one order that one client received over all its connections, in order of arrival.
 */
export interface OrderWatcher {
  readonly name: string;
  readonly orderId: string;
  /** Statuses. */
  readonly seen: readonly string[];
  /** Whether the server completed the stream, as it does after the decision. */
  readonly completed: boolean;
  readonly errors: readonly string[];
}

export interface RunningOrderWatcher {
  readonly watched: () => OrderWatcher;
  readonly close: () => Promise<void>;
}

/**
 * Subscribes to one order until its decision. Reconnects after a lost connection. Subscribes again
 * after a retryable error, because a stream cannot start while the database is unavailable.
 * @param lasting if true, a retryable error after the first event is reported too, because the
 *   gateway guarantees that a started stream is not interrupted
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
    pause(POLL_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
  const mayAskAgain = (live: LiveClient<Changed>): boolean =>
    live.errors().every(({ extensions }) => extensions?.['retryable'] === true) &&
    (!lasting || live.seen().length === 0);
  const isOver = (live: LiveClient<Changed>): boolean =>
    live.completed() || live.errors().length > 0;

  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const live = await startLiveClient<Changed>({
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
