import { type GraphError, graphAt } from '@gudang/testing/clients/graph-client';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** The result of a query or mutation, or the first event of a subscription. */
export interface Outcome {
  readonly data: unknown;
  readonly codes: readonly unknown[];
}

/** The gateway's protocols for queries and mutations, and for subscriptions. */
export const QUERY_PROTOCOLS = ['HTTP', 'websocket'] as const;
export const STREAM_PROTOCOLS = ['server-sent events', 'multipart', 'websocket'] as const;
export type Protocol = (typeof QUERY_PROTOCOLS | typeof STREAM_PROTOCOLS)[number];

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphError[] | undefined;
}

type Ask = (url: string, query: string, authorization: string | undefined) => Promise<Answer>;

const ASK: Readonly<Record<Protocol, Ask>> = {
  HTTP: (url, query, authorization) => graphAt(url, authorization)(query),
  'server-sent events': (...asked) =>
    firstEvent('text/event-stream', /^data: (\{.*\})$/m, ...asked),
  multipart: async (...asked) => {
    const answer = await firstEvent(
      'multipart/mixed;subscriptionSpec="1.0", application/json',
      /^(\{"(?:payload|errors)".*\})$/m,
      ...asked,
    );
    const { payload } = answer as { payload?: Answer | null };
    return payload ?? answer;
  },
  websocket: overWebsocket,
};

export async function executeOnce(
  url: string,
  query: string,
  authorization: string | undefined,
  protocol: Protocol,
): Promise<Outcome> {
  const { data, errors } = await ASK[protocol](url, query, authorization);
  return { data, codes: (errors ?? []).map(({ extensions }) => extensions?.['code']) };
}

async function firstEvent(
  accept: string,
  form: RegExp,
  url: string,
  query: string,
  authorization: string | undefined,
): Promise<Answer> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept,
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify({ query }),
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(20_000)]),
  });
  if (!response.ok) return (await response.json()) as Answer;
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const event = form.exec(text)?.[1];
    if (event === undefined) continue;
    leaving.abort();
    return JSON.parse(event);
  }
  throw new Error(`The stream ended without an event: ${text}`);
}

/** Error codes by websocket close code. */
const CODES: Readonly<Record<number, string>> = { 4403: 'UNAUTHENTICATED' };

function overWebsocket(
  url: string,
  query: string,
  authorization: string | undefined,
): Promise<Answer> {
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: authorization === undefined ? {} : { authorization },
    retryAttempts: 0,
  });
  return new Promise<Answer>((resolve, reject) => {
    client.subscribe(
      { query },
      {
        next: (result) => resolve(result as Answer),
        error: (reason) => {
          if (Array.isArray(reason)) return resolve({ errors: reason as GraphError[] });
          const { code } = (reason ?? {}) as { code?: number };
          const known = code === undefined ? undefined : CODES[code];
          if (known === undefined) return reject(reason);
          resolve({ errors: [{ message: 'closed', extensions: { code: known } }] });
        },
        complete: () => reject(new Error('The stream completed without an event')),
      },
    );
  }).finally(() => client.dispose());
}
