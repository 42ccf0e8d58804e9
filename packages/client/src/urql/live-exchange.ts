import { type Exchange, type ExecutionResult, subscriptionExchange } from '@urql/core';
import type { ClientError } from '../client-error.ts';
import type { LiveClient } from '../live-client.ts';
import { execute, type ResultLike, toResult } from '../subscription/execution-result.ts';

export interface LiveExchangeOptions {
  /**
   * Whether the client also sends queries and mutations, with its token. `fetchExchange` is then not needed.
   * Default: false.
   */
  readonly enableAllOperations?: boolean | undefined;
}

interface Sink {
  next(result: ExecutionResult): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Creates an exchange whose subscriptions resume. A subscription starts after the cursor in the context
 * `{ live: { after } }`, if there is one. `extensions.live` of a result has the event's `cursor` and
 * `conflated` count.
 */
export function liveExchange(
  client: LiveClient,
  { enableAllOperations = false }: LiveExchangeOptions = {},
): Exchange {
  return subscriptionExchange({
    enableAllOperations,
    forwardSubscription: ({ query = '', variables }, { kind, context }) => ({
      subscribe: (sink) => ({
        unsubscribe:
          kind === 'subscription'
            ? subscribe(client, query, variables, context['live']?.after, sink as Sink)
            : fetchOnce(client, query, variables, sink as Sink),
      }),
    }),
  });
}

function subscribe(
  client: LiveClient,
  query: string,
  variables: Record<string, unknown> | undefined,
  after: string | undefined,
  sink: Sink,
): () => void {
  let hadErrors = false;
  const next = (result: ResultLike): void => {
    // urql repeats the errors of the last result in a result without `errors`.
    const none = hadErrors && !result.errors ? { errors: [] } : {};
    hadErrors = result.errors !== undefined;
    sink.next({ ...result, ...none } as ExecutionResult);
  };
  return client.subscribe(query, variables, {
    after,
    next: (event) => {
      const result = toResult(event);
      if (result) next(result);
    },
    error: (error) => sink.error(toUrqlError(error)),
    complete: () => sink.complete(),
  });
}

function fetchOnce(
  client: LiveClient,
  query: string,
  variables: Record<string, unknown> | undefined,
  sink: Sink,
): () => void {
  const stop = new AbortController();
  execute(client, query, variables, { signal: stop.signal }).then(
    (result) => {
      sink.next(result as ExecutionResult);
      sink.complete();
    },
    (error: unknown) => sink.error(error),
  );
  return () => stop.abort();
}

/** urql takes a list for errors of the graph, and anything else for an error of the network. */
function toUrqlError(error: ClientError): unknown {
  return error.errors.length > 0 ? [...error.errors] : error;
}
