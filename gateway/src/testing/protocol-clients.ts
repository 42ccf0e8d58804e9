import type { FormattedExecutionResult } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface StreamRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  readonly extensions?: Record<string, unknown>;
}

/**
 * An outcome of a stream: a result, errors that ended the stream, its completion, or the loss of
 * its connection.
 */
export type Outcome = FormattedExecutionResult | 'complete' | 'lost';

export interface ProtocolStream {
  readonly take: () => Promise<Outcome>;
  readonly leave: () => void;
}

type Open = (
  url: string,
  request: StreamRequest,
  authorization?: string,
  /** Further headers, over HTTP. */
  headers?: Record<string, string>,
  /** Further members of `connection_init`, over websockets. */
  params?: Record<string, string>,
) => ProtocolStream;

/** The three protocols. Two use their published clients; multipart uses a client of this file. */
export const PROTOCOLS: readonly [[string, Open], [string, Open], [string, Open]] = [
  ['graphql-transport-ws', overWebsocket],
  ['server-sent events', overSse],
  ['multipart', overMultipart],
];

function createInbox() {
  const came: Outcome[] = [];
  let wake = (): void => {};
  return {
    add: (one: Outcome): void => {
      came.push(one);
      wake();
    },
    take: async (): Promise<Outcome> => {
      while (came.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return came.shift() as Outcome;
    },
  };
}

const failed = (reason: unknown): Outcome =>
  Array.isArray(reason) ? { errors: reason } : ('lost' as const);

function overWebsocket(
  url: string,
  request: StreamRequest,
  authorization?: string,
  _headers?: Record<string, string>,
  params?: Record<string, string>,
): ProtocolStream {
  const inbox = createInbox();
  const client = createWsClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { ...params, ...(authorization ? { authorization } : {}) },
    retryAttempts: 0,
  });
  client.subscribe(
    { ...request },
    {
      next: (result) => inbox.add(result as FormattedExecutionResult),
      error: (reason) => inbox.add(failed(reason)),
      complete: () => inbox.add('complete'),
    },
  );
  return { take: inbox.take, leave: () => void client.dispose() };
}

function overSse(
  url: string,
  request: StreamRequest,
  authorization?: string,
  headers: Record<string, string> = {},
): ProtocolStream {
  const inbox = createInbox();
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: authorization ? { ...headers, authorization } : headers,
    retryAttempts: 0,
  });
  const leave = client.subscribe(
    { ...request },
    {
      next: (result) => inbox.add(result as FormattedExecutionResult),
      error: (reason) => inbox.add(failed(reason)),
      complete: () => inbox.add('complete'),
    },
  );
  return { take: inbox.take, leave };
}

function overMultipart(
  url: string,
  request: StreamRequest,
  authorization?: string,
  headers: Record<string, string> = {},
): ProtocolStream {
  const inbox = createInbox();
  const leaving = new AbortController();
  const read = async (): Promise<void> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'multipart/mixed;subscriptionSpec="1.0", application/json',
        ...(authorization ? { authorization } : {}),
        ...headers,
      },
      body: JSON.stringify(request),
      signal: leaving.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const parts = text.split('\r\n--graphql');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const [, body] = part.split('\r\n\r\n');
        const { payload, errors } = JSON.parse(body || '{}');
        if (payload) inbox.add(payload);
        if (errors) inbox.add('lost');
      }
    }
    inbox.add(text.startsWith('--') ? 'complete' : 'lost');
  };
  read().catch(() => inbox.add('lost'));
  return { take: inbox.take, leave: () => leaving.abort() };
}
