import type { GraphQLFormattedError } from 'graphql';
import type { LivePayload } from '../../upstream/live-payload.ts';

type Errors = readonly GraphQLFormattedError[];

/** The format of a stream in one HTTP response. */
export interface HttpFormat {
  readonly contentType: string;
  /** Text that is sent with the headers. */
  readonly head: string;
  readonly heartbeat: string;
  readonly heartbeatMs: number;
  /** @param json an execution result */
  readonly next: (json: string, cursor: string | undefined) => string;
  /** Returns the end of a response whose operation cannot run or has failed. */
  readonly errors: (errors: Errors) => string;
  /** Returns the end of a response that the gateway interrupts; the client should reconnect. */
  readonly interrupted: (error: GraphQLFormattedError) => string;
  /**
   * Returns the end of a response whose token has expired; the client should reconnect with another
   * token.
   */
  readonly expired: (error: GraphQLFormattedError) => string;
  /** End of a response whose operation is complete. */
  readonly end: string;
}

const COMPLETE = 'event: complete\ndata:\n\n';

/**
 * Characters that an event id must not contain: a line break would end the field, and browsers
 * ignore an id with NUL.
 */
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
  // Some clients do not report a response as open before they have received its first bytes.
  head: ':\n\n',
  heartbeat: ':\n\n',
  heartbeatMs: 12_000,
  next: sseNext,
  errors: sseErrors,
  // The response ends without `complete`, so that graphql-sse's client and EventSource reconnect.
  interrupted: () => '',
  // The response ends with `complete`, because clients would otherwise reconnect with the same
  // token.
  expired: (error) => sseErrors([error]),
  end: COMPLETE,
};

// Clients process a part only after the next boundary, so the boundary is sent with the part.
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

/** Creates an encoder that encodes each payload once for all clients. */
export function createEncoder(format: HttpFormat) {
  const encoded = new WeakMap<LivePayload, Buffer>();
  return (payload: LivePayload, conflated: number): Buffer => {
    if (conflated > 0) {
      return Buffer.from(format.next(payload.conflated(conflated), payload.cursor));
    }
    const cached = encoded.get(payload);
    if (cached) return cached;
    const bytes = Buffer.from(format.next(payload.json, payload.cursor));
    encoded.set(payload, bytes);
    return bytes;
  };
}
