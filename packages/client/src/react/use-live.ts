'use client';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { ClientError } from '../client-error.ts';
import type { LiveDocument, Variables } from '../document.ts';
import type { ConnectionState, LiveClient } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';
import { useLiveClient } from './live-provider.ts';
import { type Running, WhileShown } from './while-shown.ts';

/** The state of a subscription. */
export interface LiveResult<TData> {
  /** Data of the last event; null before the first one, and for another caller. */
  readonly data: TData | null;
  readonly state: ConnectionState;
  /** The error of the last event, or the one that ended the subscription. */
  readonly error: ClientError | null;
}

export interface UseLiveOptions<TData> {
  /** Whether nothing is subscribed, for example because a variable is not known yet. Default: false. */
  readonly skip?: boolean | undefined;
  /** Cursor after which the stream begins. Another cursor begins another subscription. */
  readonly after?: string | null | undefined;
  /** Called for each event and snapshot marker; `data` may skip events that arrive in one frame. */
  readonly onEvent?: ((event: LiveEvent<TData>) => void) | undefined;
}

/**
 * Subscribes while the component is mounted, and resumes after every loss of the connection. Another document
 * or other variables begin another subscription; objects with the same content are the same variables.
 */
export function useLive<TData, TVariables extends Variables>(
  document: LiveDocument<TData, TVariables>,
  variables?: NoInfer<TVariables> | null,
  options: UseLiveOptions<TData> = {},
): LiveResult<TData> {
  const client = useLiveClient();
  const { skip = false, after, onEvent } = options;
  const listener = useRef(onEvent);
  useEffect(() => {
    listener.current = onEvent;
  });
  const key = JSON.stringify(variables);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the variables
  const shown = useMemo(() => {
    const initial: LiveResult<TData> = { data: null, state: 'connecting', error: null };
    return new WhileShown(initial, (changed) => {
      const onEvent = (event: LiveEvent<TData>): void => listener.current?.(event);
      const subscription = new ShownSubscription(client, initial, { changed, onEvent });
      if (!skip) subscription.start(document, variables, after);
      return subscription;
    });
  }, [client, document, key, skip, after]);
  return useSyncExternalStore(shown.subscribe, shown.get, shown.getInitial);
}

class ShownSubscription<TData> implements Running<LiveResult<TData>> {
  readonly #client: LiveClient;
  readonly #initial: LiveResult<TData>;
  readonly #listeners: { changed(): void; onEvent(event: LiveEvent<TData>): void };
  #result: LiveResult<TData>;
  #unsubscribe = (): void => {};
  #forgetIdentity = (): void => {};

  constructor(
    client: LiveClient,
    initial: LiveResult<TData>,
    listeners: { changed(): void; onEvent(event: LiveEvent<TData>): void },
  ) {
    this.#client = client;
    this.#initial = initial;
    this.#result = initial;
    this.#listeners = listeners;
  }

  get(): LiveResult<TData> {
    return this.#result;
  }

  start<TVariables extends Variables>(
    document: LiveDocument<TData, TVariables>,
    variables: TVariables | null | undefined,
    after: string | null | undefined,
  ): void {
    const subscribe = (): void => {
      this.#unsubscribe = this.#client.subscribe(document, variables, {
        after,
        next: (event) => this.#next(event),
        error: (error) => this.#show({ error }),
        state: (state) => this.#show({ state }),
      });
    };
    subscribe();
    this.#forgetIdentity = this.#client.onIdentity(() => {
      // Before the first event there is nothing that the next caller may not see.
      if (this.#result.data === null && this.#result.error === null) return;
      this.#unsubscribe();
      this.#show(this.#initial);
      subscribe();
    });
  }

  stop(): void {
    this.#forgetIdentity();
    this.#unsubscribe();
  }

  #next(event: LiveEvent<TData>): void {
    const { data, errors } = event;
    const error = errors ? ClientError.of(errors, { data }) : null;
    if (data !== null) this.#show({ data, error });
    else if (error) this.#show({ error });
    this.#listeners.onEvent(event);
  }

  #show(change: Partial<LiveResult<TData>>): void {
    this.#result = { ...this.#result, ...change };
    this.#listeners.changed();
  }
}
