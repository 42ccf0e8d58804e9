import type { Client } from 'graphql-ws';
import type { GraphError } from '../../graph/graph-errors.ts';
import { type GraphSocketEvents, openGraphSocket } from './graph-socket.ts';

/** Delay before the next connection after the gateway refused a connection, in ms. */
const REFUSED_WAIT_MS = 10_000;
/** Delay before the next subscription after a stream ended, in ms. */
const ENDED_WAIT_MS = 2_000;

export interface ReconnectingClient {
  /**
   * Subscribes, and subscribes again whenever the stream ends.
   * @param variables called for each connection and returns the current variables, so that a stream
   *   resumes from its last cursor
   * @param options.once if true, the client does not subscribe again after the server has completed
   *   the stream
   * @returns a function that unsubscribes
   */
  readonly subscribe: <T>(
    query: string,
    variables: () => Record<string, unknown>,
    onData: (data: T) => void,
    options?: { readonly once?: boolean; readonly onErrors?: (errors: GraphError[]) => void },
  ) => () => void;
}

/** Creates a client that reconnects and subscribes again indefinitely. */
export function createReconnectingClient(events: GraphSocketEvents): ReconnectingClient {
  const open = (): Client =>
    openGraphSocket({
      ...events,
      onRefused: (reason) => {
        events.onRefused(reason);
        setTimeout(() => {
          client = open();
        }, REFUSED_WAIT_MS);
      },
    });
  let client = open();

  return {
    subscribe: <T>(
      query: string,
      variables: () => Record<string, unknown>,
      onData: (data: T) => void,
      { once = false, onErrors = () => {} }: Parameters<ReconnectingClient['subscribe']>[3] = {},
    ) => {
      let ended = false;
      let stop = (): void => {};
      const payload = {
        query,
        // graphql-ws reads this property each time it subscribes again, so the subscription starts
        // from the newest cursor.
        get variables() {
          return variables();
        },
      };
      const start = (): void => {
        if (ended) return;
        stop = client.subscribe<T>(payload, {
          next: ({ data, errors }) => {
            if (errors) onErrors([...errors]);
            if (data) onData(data);
          },
          error: (error) => {
            if (Array.isArray(error)) onErrors(error as GraphError[]);
            setTimeout(start, ENDED_WAIT_MS);
          },
          complete: () => {
            if (!once) setTimeout(start, ENDED_WAIT_MS);
          },
        });
      };
      start();
      return () => {
        ended = true;
        stop();
      };
    },
  };
}
