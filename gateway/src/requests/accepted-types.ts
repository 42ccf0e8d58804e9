import { parse } from 'content-type';
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';
import { badRequest } from '../errors/request-error.ts';

/** Media types of an answer that is one JSON document, in the gateway's order of preference. */
const JSON_TYPES = ['application/json', 'application/graphql-response+json'] as const;
const EVENT_STREAM = 'text/event-stream';
const MULTIPART = 'multipart/mixed';
/** Parameters of `multipart/mixed` that name the format of live streams, and of answers in parts. */
const SUBSCRIPTIONS = ['subscriptionspec', '1.0'] as const;
const DEFER = ['deferspec', '20220824'] as const;

export type JsonType = (typeof JSON_TYPES)[number];
export type StreamType = typeof EVENT_STREAM | typeof MULTIPART;

/** Response types that a client accepts, by the header `Accept` (RFC 9110, 12.5.1). */
export interface AcceptedTypes {
  /** Type of a JSON answer. Undefined if the client accepts none. */
  readonly json: JsonType | undefined;
  /**
   * Type of a live stream. Undefined if the client accepts none: a stream must be named, because
   * clients that send a wildcard expect one JSON document. `multipart/mixed` needs the parameter
   * `subscriptionSpec=1.0`.
   */
  readonly stream: StreamType | undefined;
  /**
   * Whether the client reads an answer with `@defer` in parts: over HTTP as `multipart/mixed` with the
   * parameter `deferSpec=20220824`.
   */
  readonly parts: boolean;
}

/** Accepted types of a client that sends no `Accept`. */
export const ACCEPTS_JSON: AcceptedTypes = {
  json: 'application/json',
  stream: undefined,
  parts: false,
};
/** Accepted types of operations over a websocket, which has a message for each part. */
export const ACCEPTS_PARTS: AcceptedTypes = { ...ACCEPTS_JSON, parts: true };

/** Maximum length of an `Accept` header, in characters. Browsers send less than 200. */
const MAX_LENGTH = 1_000;

const cache = new LRUCache<string, AcceptedTypes>({ max: 200 });
/** The last result. Most clients of a gateway send the same header. */
let last: { readonly accept: string | undefined; readonly types: AcceptedTypes } = {
  accept: undefined,
  types: ACCEPTS_JSON,
};

/**
 * Finds the response types that a client accepts.
 * @param accept the header `Accept`; several headers are joined with commas
 * @throws {RequestError} 400 for a header of more than 1,000 characters
 */
export function acceptedTypes(accept: string | undefined): AcceptedTypes {
  if (accept === last.accept) return last.types;
  if (accept === undefined) return ACCEPTS_JSON;
  if (accept.length > MAX_LENGTH) {
    throw badRequest(
      `The header Accept is longer than ${MAX_LENGTH.toLocaleString('en')} characters`,
    );
  }
  let types = cache.get(accept);
  if (!types) {
    types = negotiate(accept);
    cache.set(accept, types);
  }
  last = { accept, types };
  return types;
}

function negotiate(accept: string): AcceptedTypes {
  const negotiator = new Negotiator({ headers: { accept } });
  const json = negotiator.mediaType([...JSON_TYPES]) as JsonType | undefined;
  const stream = negotiator
    .mediaTypes()
    .map((type) => type.toLowerCase())
    .find(
      (type) =>
        type === EVENT_STREAM || (type === MULTIPART && acceptsMultipart(accept, SUBSCRIPTIONS)),
    );
  return {
    json,
    stream: stream as StreamType | undefined,
    parts: acceptsMultipart(accept, DEFER),
  };
}

/**
 * Whether a client accepts `multipart/mixed` with a parameter. Negotiator is not suitable for this check: it
 * requires that all parameters are equal, but clients choose the `boundary` freely.
 */
function acceptsMultipart(
  accept: string,
  [parameter, wanted]: readonly [name: string, value: string],
): boolean {
  if (!accept.toLowerCase().includes(parameter)) return false;
  for (let start = 0; start < accept.length; ) {
    const { type, parameters, index } = parse(accept, { comma: true, start });
    const { [parameter]: version, q = '1' } = parameters;
    if (type.toLowerCase() === MULTIPART && version === wanted && Number(q) > 0) return true;
    start = index + 1;
  }
  return false;
}
