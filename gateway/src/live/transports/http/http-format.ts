import type { GraphQLFormattedError } from 'graphql';
import type { LivePayload } from '../../upstream/live-payload.ts';

type Errors = readonly GraphQLFormattedError[];

/** How a stream is written into one HTTP response. */
export interface HttpFormat {
  readonly contentType: string;
  readonly head: string;
  readonly heartbeat: string;
  readonly heartbeatMs: number;
  /** @param json an execution result */
  readonly next: (json: string, cursor: string | undefined) => string;
  /** An operation that cannot run, or has ended with errors. */
  readonly errors: (errors: Errors) => string;
  /** The gateway ends the response for a reason of its own; the client is to come back. */
  readonly interrupted: (error: GraphQLFormattedError) => string;
  /** The client may come back, but not as it came: its token is no longer good. */
  readonly expired: (error: GraphQLFormattedError) => string;
  readonly end: string;
}

const COMPLETE = 'event: complete\ndata:\n\n';

/** A line break would end the field, and NUL makes browsers ignore it. */
const NO_EVENT_ID = /[\r\n\0]/;

const sseNext = (json: string, cursor?: string): string => {
  const id = cursor !== undefined && !NO_EVENT_ID.test(cursor) ? `id: ${cursor}\n` : '';
  return `event: next\n${id}data: ${json}\n\n`;
};

const sseErrors = (errors: Errors): string => `${sseNext(JSON.stringify({ errors }))}${COMPLETE}`;

/**
 * Server-sent events, in the distinct connections mode of graphql-sse.
 * https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
 */
export const serverSentEvents: HttpFormat = {
  contentType: 'text/event-stream; charset=utf-8',
  // Something at once, so that clients see the response and not only its headers.
  head: ':\n\n',
  heartbeat: ':\n\n',
  heartbeatMs: 12_000,
  next: sseNext,
  errors: sseErrors,
  // An end without `complete`: graphql-sse's client and EventSource connect again by themselves.
  interrupted: () => '',
  // With `complete`, or clients would come back by themselves as they came.
  expired: (error) => sseErrors([error]),
  end: COMPLETE,
};

// A part counts as whole once the next boundary is there, so each is followed by it at once.
const part = (json: string): string =>
  `\r\ncontent-type: application/json\r\n\r\n${json}\r\n--graphql`;

const multipartFault = (error: GraphQLFormattedError): string =>
  `${part(JSON.stringify({ payload: null, errors: [error] }))}--\r\n`;

/**
 * Apollo's multipart subscriptions.
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
 */
export const multipart: HttpFormat = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
  head: '\r\n--graphql',
  heartbeat: part('{}'),
  heartbeatMs: 5_000,
  next: (json) => part(`{"payload":${json}}`),
  errors: (errors) => `${part(JSON.stringify({ payload: { errors } }))}--\r\n`,
  interrupted: multipartFault,
  expired: multipartFault,
  end: '--\r\n',
};

/** A payload's text in a format, encoded once for all clients. */
export function createEncoder(format: HttpFormat) {
  const encoded = new WeakMap<LivePayload, Buffer>();
  return (payload: LivePayload, conflated: number): Buffer => {
    if (conflated > 0) {
      return Buffer.from(format.next(payload.conflated(conflated), payload.cursor));
    }
    const known = encoded.get(payload);
    if (known) return known;
    const bytes = Buffer.from(format.next(payload.json, payload.cursor));
    encoded.set(payload, bytes);
    return bytes;
  };
}
