import type { Client } from 'graphql-ws';
import type { GraphError } from '../../graph/graph-errors.ts';
import { type GraphSocketEvents, openGraphSocket } from './graph-socket.ts';

/** After it was refused, or after a stream ended that should not. */
const REFUSED_WAIT_MS = 10_000;
const ENDED_WAIT_MS = 2_000;

export interface LastingClient {
  /**
   * Subscribes, and again after whatever ends it.
   * @param variables asked for at each connection: a cursor goes on from where it is by then
   * @param once ends when the server completes it
   * @returns how to end it
   */
  readonly subscribe: <T>(
    query: string,
    variables: () => Record<string, unknown>,
    onData: (data: T) => void,
    options?: { readonly once?: boolean; readonly onErrors?: (errors: GraphError[]) => void },
  ) => () => void;
}

/** A client that never gives up, neither its connection nor its streams. */
export function createLastingClient(events: GraphSocketEvents): LastingClient {
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
      { once = false, onErrors = () => {} }: Parameters<LastingClient['subscribe']>[3] = {},
    ) => {
      let ended = false;
      let stop = (): void => {};
      const payload = {
        query,
        // Read whenever it is sent, so that graphql-ws's own retries go on from the newest cursor.
        get variables() {
          return variables();
        },
      };
      const begin = (): void => {
        if (ended) return;
        stop = client.subscribe<T>(payload, {
          next: ({ data, errors }) => {
            if (errors) onErrors([...errors]);
            if (data) onData(data);
          },
          error: (error) => {
            if (Array.isArray(error)) onErrors(error as GraphError[]);
            setTimeout(begin, ENDED_WAIT_MS);
          },
          complete: () => {
            if (!once) setTimeout(begin, ENDED_WAIT_MS);
          },
        });
      };
      begin();
      return () => {
        ended = true;
        stop();
      };
    },
  };
}
