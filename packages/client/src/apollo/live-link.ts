import { ApolloLink } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import type { GraphQLFormattedError } from 'graphql';
import { Observable } from 'rxjs';
import type { ClientError } from '../client-error.ts';
import type { LiveDocument } from '../document.ts';
import type { LiveClient } from '../live-client.ts';
import { execute, type ResultLike, toResult } from '../subscription/execution-result.ts';

/**
 * Creates a terminating link for all operations: subscriptions that resume, and queries and mutations with
 * the client's token.
 *
 * - A subscription starts after the cursor in `extensions: { live: { after } }`, if there is one.
 * - `extensions.live` of a result has the event's `cursor` and `conflated` count.
 * - `headers` in the context of a query or mutation are sent, such as `Idempotency-Key`.
 */
export function createLiveLink(client: LiveClient): ApolloLink {
  return new ApolloLink((operation) =>
    operation.operationType === 'subscription'
      ? subscribe(client, operation)
      : fetchOnce(client, operation),
  );
}

function subscribe(
  client: LiveClient,
  { query, variables, extensions }: ApolloLink.Operation,
): Observable<ApolloLink.Result> {
  return new Observable((observer) =>
    client.subscribe(query as LiveDocument, variables, {
      after: extensions['live']?.after,
      next: (event) => {
        const result = toResult(event);
        if (result) observer.next(result as ApolloLink.Result);
      },
      error: (error) => observer.error(toApolloError(error)),
      complete: () => observer.complete(),
    }),
  );
}

function fetchOnce(
  client: LiveClient,
  { query, variables, getContext }: ApolloLink.Operation,
): Observable<ApolloLink.Result> {
  return new Observable((observer) => {
    const stop = new AbortController();
    const { headers } = getContext() as { headers?: Readonly<Record<string, string>> };
    const { signal } = stop;
    execute(client, query as LiveDocument, variables, { headers, signal }).then(
      (result) => {
        observer.next(result as ApolloLink.Result);
        observer.complete();
      },
      (error: unknown) => observer.error(error),
    );
    return () => stop.abort();
  });
}

/** Apollo Client recognizes errors of the graph by their class. */
function toApolloError(error: ClientError): Error {
  const { errors } = error;
  if (errors.length === 0) return error;
  const result: ResultLike = { data: null, errors };
  return new CombinedGraphQLErrors(result as { errors: readonly GraphQLFormattedError[] });
}
