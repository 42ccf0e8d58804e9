import type { ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { ClientSink } from '../../fanout/stream-client.ts';
import type { LiveSubscription } from '../../fanout/stream-registry.ts';
import type { createEncoder, HttpFormat } from './http-format.ts';

/** Heartbeats that may go by while a client reads nothing, before it has vanished. */
const UNREAD_HEARTBEATS = 10;

/** A stream in one HTTP response. */
export interface HttpStream {
  readonly sink: ClientSink;
  readonly attach: (subscription: LiveSubscription) => void;
  /** One result, and the end: for queries and mutations. */
  readonly answer: (json: string) => void;
  /** Ends it, so that the client comes back. */
  readonly interrupt: (error: GraphQLFormattedError) => void;
  /** Ends it: its client is to come back with another token. */
  readonly expire: (error: GraphQLFormattedError) => void;
}

export function startHttpStream({
  response,
  format,
  encode,
  headers,
  heartbeatMs = format.heartbeatMs,
  onClosed,
}: {
  response: ServerResponse;
  format: HttpFormat;
  encode: ReturnType<typeof createEncoder>;
  headers: Readonly<Record<string, string | string[] | number | undefined>>;
  heartbeatMs?: number;
  onClosed: () => void;
}): HttpStream {
  let subscription: LiveSubscription | undefined;
  let over = false;
  let unread = 0;

  const heartbeats = setInterval(() => {
    unread = response.writableNeedDrain ? unread + 1 : 0;
    if (unread >= UNREAD_HEARTBEATS) response.destroy();
    else if (unread === 0) response.write(format.heartbeat);
  }, heartbeatMs);
  const end = (text: string): void => {
    if (over) return;
    over = true;
    clearInterval(heartbeats);
    response.end(text);
  };
  const interrupt = (error: GraphQLFormattedError): void => end(format.interrupted(error));

  response.on('drain', () => subscription?.resume());
  response.on('close', () => {
    over = true;
    clearInterval(heartbeats);
    subscription?.leave();
    onClosed();
  });
  response.writeHead(200, {
    ...headers,
    'content-type': format.contentType,
    'cache-control': 'no-cache, no-transform',
    // Proxies such as nginx would hold events back.
    'x-accel-buffering': 'no',
  });
  response.write(format.head);

  return {
    attach: (given) => {
      subscription = given;
      if (response.closed) given.leave();
    },
    answer: (json) => end(`${format.next(json, undefined)}${format.end}`),
    interrupt,
    expire: (error) => end(format.expired(error)),
    sink: {
      ready: () => !response.writableNeedDrain,
      write: (payloads, conflated) => {
        if (over) return;
        const parts = payloads.map((payload, index) => encode(payload, conflated?.[index] ?? 0));
        response.write(parts.length === 1 ? parts[0] : Buffer.concat(parts));
      },
      error: (errors) => end(format.errors(errors)),
      complete: () => end(format.end),
      lagged: () =>
        interrupt({
          message: 'This client is too slow for a stream that may leave nothing out: come back',
          extensions: { code: 'LAGGED', retryable: true },
        }),
    },
  };
}
