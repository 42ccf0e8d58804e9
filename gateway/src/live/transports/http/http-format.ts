import type { GraphQLFormattedError } from 'graphql';
import {
  type DeliveryNote,
  type LivePayload,
  liveForm,
  type PayloadForm,
  plainForm,
} from '../../upstream/live-payload.ts';

type Errors = readonly GraphQLFormattedError[];

/** The format of a stream in one HTTP response. */
export interface HttpFormat {
  readonly contentType: string;
  /** Text that is sent with the headers. */
  readonly head: string;
  readonly heartbeat: string;
  readonly heartbeatMs: number;
  /** Returns the text before and after the JSON of an execution result. */
  readonly around: (cursor: string | undefined) => readonly [before: string, after: string];
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

const aroundSse = (cursor: string | undefined): [string, string] => {
  const id = cursor !== undefined && !NO_EVENT_ID.test(cursor) ? `id: ${cursor}\n` : '';
  return [`event: next\n${id}data: `, '\n\n'];
};

const sseErrors = (errors: Errors): string =>
  `${aroundSse(undefined).join(JSON.stringify({ errors }))}${COMPLETE}`;

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
  around: aroundSse,
  errors: sseErrors,
  // The response ends without `complete`, so that graphql-sse's client and EventSource reconnect.
  interrupted: () => '',
  // The response ends with `complete`, because clients would otherwise reconnect with the same
  // token.
  expired: (error) => sseErrors([error]),
  end: COMPLETE,
};

// Clients process a part only after the next boundary, so the boundary is sent with the part.
const PART_START = '\r\ncontent-type: application/json\r\n\r\n';
const PART_END = '\r\n--graphql';
const part = (json: string): string => `${PART_START}${json}${PART_END}`;

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
  around: () => [`${PART_START}{"payload":`, `}${PART_END}`],
  errors: (errors) => `${part(JSON.stringify({ payload: { errors } }))}--\r\n`,
  interrupted: multipartFault,
  expired: multipartFault,
  end: '--\r\n',
};

/**
 * Puts payloads into one buffer, so that they need only one write.
 * @param notes a note for each payload, or none
 */
export type Encoder = (payloads: readonly LivePayload[], notes?: readonly DeliveryNote[]) => Buffer;

/** The encoders of a format for the two kinds of clients. */
export interface Encoders {
  /** For clients that have not sent `extensions.live`. */
  readonly plain: Encoder;
  readonly live: Encoder;
}

export function createEncoders(format: HttpFormat): Encoders {
  return { plain: createEncoder(format, plainForm), live: createEncoder(format, liveForm) };
}

/**
 * Creates an encoder. The clients of a stream receive the same payloads one after the other, so the
 * last payloads are encoded once for all clients.
 */
function createEncoder({ around }: HttpFormat, { cursorOf, jsonOf }: PayloadForm): Encoder {
  let last: { readonly payloads: readonly LivePayload[]; readonly bytes: Buffer } | undefined;
  const encode: Encoder = (payloads, notes) =>
    Buffer.concat(
      payloads.flatMap((payload, index) => {
        const note = notes?.[index];
        const [before, after] = around(cursorOf(payload, note));
        return [Buffer.from(before), jsonOf(payload, note), Buffer.from(after)];
      }),
    );
  return (payloads, notes) => {
    if (notes) return encode(payloads, notes);
    if (last?.payloads !== payloads) last = { payloads, bytes: encode(payloads) };
    return last.bytes;
  };
}
