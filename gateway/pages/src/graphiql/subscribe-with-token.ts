import { createClient, type LiveClient, type LiveEvent } from '@gudang/client';
import type { ExecutionResult } from 'graphql';
import type { Subscribe } from './tab-subscriptions.ts';

/**
 * Creates the function that starts GraphiQL's subscriptions, with the token in GraphiQL's headers.
 * A connection has one token, so each token has its own client.
 * @param connect creates the client for a token; null without a token
 */
export function subscribeWithToken(
  connect: (token: string | null) => Pick<LiveClient, 'subscribe'>,
): Subscribe {
  const clients = new Map<string | null, Pick<LiveClient, 'subscribe'>>();
  return ({ query, variables }, headers, sink) => {
    const token = tokenIn(headers);
    const client = clients.get(token) ?? connect(token);
    clients.set(token, client);
    let isRefused = false;
    const stop = client.subscribe(query, variables, {
      next: (event) => sink.next(resultOf(event)),
      error: (error) => sink.error(error.errors.length > 0 ? error.errors : error),
      complete: () => sink.complete(),
      state: (state, reason) => {
        if (state !== 'refused' || isRefused) return;
        isRefused = true;
        // The state may be reported before `subscribe` returns.
        queueMicrotask(() => stop());
        sink.error(reason);
      },
    });
    return stop;
  };
}

/** Creates a client, which has a connection only while it has subscriptions. */
export function connectToGraph(token: string | null): LiveClient {
  return createClient({ url: '/graphql', token: () => token });
}

/** Returns an event in the form in which the gateway has sent it. */
function resultOf({ data, errors, conflated, snapshot }: LiveEvent<unknown>): ExecutionResult {
  const live = { ...(conflated > 0 ? { conflated } : {}), ...(snapshot ? { snapshot } : {}) };
  return {
    data,
    ...(errors ? { errors } : {}),
    ...(Object.keys(live).length > 0 ? { extensions: { live } } : {}),
  } as unknown as ExecutionResult;
}

function tokenIn(headers: Readonly<Record<string, unknown>>): string | null {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  const token = String(found?.[1] ?? '').replace(/^Bearer +/i, '');
  return token === '' ? null : token;
}
