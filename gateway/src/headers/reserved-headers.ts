import { IDENTITY_HEADER, SECRET_HEADER } from '@gudang/auth';

/** Headers of one connection (RFC 9110, 7.6.1). No rule may read or set them. */
const HOP_BY_HOP = [
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Headers that prove to a subgraph who calls it. No rule may read or set them. */
const IDENTITY = [IDENTITY_HEADER, SECRET_HEADER];

/** Headers by which a message or its content is read. */
const FRAMING = /^(?:host|expect|range|content-.+|accept(?:-encoding|-charset|-ranges)?)$/;

/** Headers of a websocket handshake, which the gateway's own handshake with a subgraph sets. */
const HANDSHAKE = /^sec-websocket-/;

/** Headers of W3C Trace Context, which the gateway sends to subgraphs without a rule. */
const TRACE = ['traceparent', 'tracestate'];

/** Headers that describe one stored response. The gateway's answer consists of several. */
const STORED_RESPONSE =
  /^(?:age|cache-control|date|etag|expires|if-.+|last-modified|pragma|vary|warning)$/;

/** Headers that decide what browsers do with the gateway's answers. */
const BROWSER = /^(?:access-control-.+|x-content-type-options)$/;

/**
 * Returns why no rule may read a header; undefined if a rule may.
 * @param name in lower case
 */
export function whyUnreadable(name: string): string | undefined {
  if (HOP_BY_HOP.includes(name)) return 'it belongs to one connection';
  if (IDENTITY.includes(name)) return 'it contains the identity of the gateway’s callers';
  return undefined;
}

/** Returns why no rule may set a header of a request to a subgraph; undefined if a rule may. */
export function whyUnsendable(name: string): string | undefined {
  if (FRAMING.test(name) || HANDSHAKE.test(name)) return 'the gateway sets it for its own request';
  if (TRACE.includes(name)) return 'the gateway forwards it without a rule';
  return whyUnreadable(name);
}

/** Returns why no rule may set a header of an answer to a client; undefined if a rule may. */
export function whyUnreturnable(name: string): string | undefined {
  if (FRAMING.test(name) || HANDSHAKE.test(name)) return 'the gateway sets it for its own answer';
  if (STORED_RESPONSE.test(name)) {
    return 'it describes the answer of one subgraph, which is only a part of the gateway’s answer';
  }
  if (BROWSER.test(name)) return 'the gateway sets it, for the safety of browsers';
  return whyUnreadable(name);
}
