import type { IncomingHttpHeaders } from 'node:http';
import { admitCause } from './tracing.ts';

/** Trace and span ids that consist of zeros are invalid (Trace Context, 3.2.2). */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Limits of `tracestate` (Trace Context, 3.3.1). Longer values are not propagated. */
const MAX_STATE_LENGTH = 512;
const MAX_STATE_MEMBERS = 32;
/** One member of `tracestate`: a key and a printable value without commas and equals signs. */
const MEMBER = /^[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]$/;

/**
 * Parses a `traceparent` header. Returns undefined if the value is not a W3C traceparent. The check is
 * necessary because clients control the header, and its value is written to the database and the log.
 */
export function parseTraceparent(
  header: string | readonly string[] | undefined,
): string | undefined {
  return typeof header === 'string' && TRACEPARENT.test(header) ? header : undefined;
}

function isTracestate(header: string | readonly string[] | undefined): header is string {
  if (typeof header !== 'string' || header.length > MAX_STATE_LENGTH) return false;
  const members = header.split(',');
  return members.length <= MAX_STATE_MEMBERS && members.every((one) => MEMBER.test(one.trim()));
}

/**
 * Reads the W3C trace context of a request: `traceparent` (55 characters) and `tracestate` (at most
 * 512 characters and 32 members). Invalid values are dropped, and `tracestate` is dropped without a
 * valid `traceparent`, as W3C Trace Context requires.
 */
export function readTraceContext(headers: IncomingHttpHeaders): Record<string, string> {
  const sent = parseTraceparent(headers['traceparent']);
  if (sent === undefined) return {};
  const traceparent = admitCause(sent);
  const { tracestate } = headers;
  return isTracestate(tracestate) ? { traceparent, tracestate } : { traceparent };
}
