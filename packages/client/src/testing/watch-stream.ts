import type { ClientError } from '../client-error.ts';
import type { ConnectionState, LiveClient, SubscribeOptions } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';

/** The events of a subscription with callbacks. */
export interface Watched {
  readonly data: unknown[];
  readonly events: LiveEvent<unknown>[];
  readonly states: ConnectionState[];
  readonly errors: ClientError[];
  readonly completions: number[];
  readonly stop: () => void;
}

/** Subscribes to the stream of a `LiveServer`, and keeps everything that arrives. */
export function watchStream(client: LiveClient, options: SubscribeOptions = {}): Watched {
  const watched = {
    data: [] as unknown[],
    events: [] as LiveEvent<unknown>[],
    states: [] as ConnectionState[],
    errors: [] as ClientError[],
    completions: [] as number[],
  };
  const stop = client.subscribe('subscription { changed }', undefined, {
    ...options,
    next: (event) => {
      watched.events.push(event);
      if (event.data !== null) watched.data.push(event.data);
    },
    state: (state) => watched.states.push(state),
    error: (error) => watched.errors.push(error),
    complete: () => watched.completions.push(watched.events.length),
  });
  return { ...watched, stop };
}
