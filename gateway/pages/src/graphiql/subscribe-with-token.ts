import type { ExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import type { Subscribe } from './tab-subscriptions.ts';

/**
 * Creates the function that starts GraphiQL's subscriptions, with the token in GraphiQL's headers. A
 * websocket has one token as long as it is open, so each token has its own.
 * @param connect creates the client of a token; undefined without a token
 */
export function subscribeWithToken(connect: (authorization?: string) => Client): Subscribe {
  const clients = new Map<string | undefined, Client>();
  return ({ query, variables, operationName }, headers, sink) => {
    const authorization = authorizationIn(headers);
    const client = clients.get(authorization) ?? connect(authorization);
    clients.set(authorization, client);
    const operation = { query, variables, operationName: operationName ?? null };
    return client.subscribe(operation, {
      ...sink,
      next: (result) => sink.next(result as ExecutionResult),
    });
  };
}

/** Creates a client that reconnects indefinitely. It has a connection only while it is used. */
export function connectToGraph(authorization?: string): Client {
  return createClient({
    url: `${location.origin.replace('http', 'ws')}/graphql`,
    connectionParams: authorization === undefined ? {} : { authorization },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
}

function authorizationIn(headers: Readonly<Record<string, unknown>>): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof found?.[1] === 'string' && found[1] !== '' ? found[1] : undefined;
}
