import type { RawRequest } from './raw-request.ts';
import { type ReferenceRun, Refused } from './reference-operation.ts';
import { interpretParameters, type Known, type Parameters } from './reference-request.ts';

/** The gateway's LIMIT_BODY_KIB. It is below the default, because cases with larger bodies take longer. */
export const BODY_LIMIT_KIB = 256;
/** The gateway refuses bodies in more than 1,000 chunks of less than 64 bytes. */
const FREE_CHUNKS = 990;
const CHUNK_BYTES = 70;
/** Node's default limit of all header lines together; the first line counts. */
const HEAD_LIMIT = 16_000;
const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name'];

/**
 * Interprets a request over HTTP, independently of the gateway's code.
 * @param doubts reasons why the gateway may refuse a request that is valid here; doubts are added
 * @throws {Refused}
 */
export function interpretHttp(request: RawRequest, known: Known, doubts: string[]): ReferenceRun {
  if (request.isBroken) throw new Refused('the message is malformed');
  const { method, target } = request;
  if (method !== 'GET' && method !== 'POST') throw new Refused('another method');
  const search = searchOf(target, doubts);
  if (request.valuesOf('host')[0] !== request.ownHost) doubts.push('another host');
  if (request.valuesOf('origin').length > 0) doubts.push('an origin');
  if (headBytes(request) > HEAD_LIMIT) doubts.push('a long head');
  const accepted = interpretAccept(request, doubts);
  const given =
    method === 'GET' ? readGet(request, search, doubts) : readPost(request, search, doubts);
  if (method === 'GET') checkTicket(request, given['ticket'], known, doubts);
  const run = interpretParameters(given, known, doubts);
  // The check comes last, because the gateway may store a persisted query before it.
  if (method === 'GET') checkPreflight(request, accepted, doubts);
  if (method === 'GET' && run.kind === 'mutation') throw new Refused('a mutation by GET');
  if (run.kind === 'subscription' && !accepted.stream) throw new Refused('no stream is accepted');
  if (run.kind !== 'subscription' && !accepted.single) doubts.push('no single result is accepted');
  return run;
}

function searchOf(target: string, doubts: string[]): string {
  if (target.includes('#')) throw new Refused('a fragment');
  const [, origin = '', path = '', search = ''] =
    /^(https?:\/\/[^/?]*)?([^?]*)(\?.*)?$/s.exec(target) ?? [];
  if (origin !== '') doubts.push('the target is in absolute form');
  if (path !== '/graphql') {
    // A router may decode the path or ignore case, but no other path may reach the endpoint.
    if (decodeAscii(path).toLowerCase() !== '/graphql') throw new Refused('another path');
    doubts.push('the path is written differently');
  }
  if (/[^\x21-\x7e]/.test(target)) doubts.push('the target has characters that are not ASCII');
  return search.slice(1);
}

/** Any page can make a browser send a GET that has none of these headers. */
function checkPreflight(request: RawRequest, accepted: Accepted, doubts: string[]): void {
  const [type] = request.valuesOf('content-type').map(essenceOf);
  const isPreflighted =
    (type !== undefined && !SIMPLE_TYPES.includes(type)) ||
    PREFLIGHT_HEADERS.some((name) => request.valuesOf(name).some((value) => value !== ''));
  if (isPreflighted) return;
  if (!accepted.stream) throw new Refused('a GET that any page may send');
  if (accepted.single) doubts.push('a GET that any page may send');
}

/** A browser's EventSource sends a ticket instead of a token. */
function checkTicket(request: RawRequest, ticket: unknown, known: Known, doubts: string[]): void {
  if (typeof ticket !== 'string' || !known.tickets || known.tickets.has(ticket)) return;
  if (request.valuesOf('accept').join() === 'text/event-stream') {
    throw new Refused('an invalid ticket');
  }
  doubts.push('an invalid ticket');
}

/** Reads the query string strictly, as application/x-www-form-urlencoded. */
function readSearch(search: string): Record<string, string> {
  const given: Record<string, string> = {};
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const [name, value] = (at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]).map(
      decodeStrictly,
    ) as [string, string];
    if (Object.hasOwn(given, name)) throw new Refused(`${name} is repeated`);
    Object.defineProperty(given, name, { value, enumerable: true });
  }
  return given;
}

function decodeStrictly(text: string): string {
  try {
    // Bytes above 0x7f that are not percent-encoded count as UTF-8.
    return decodeURIComponent(Buffer.from(text.replaceAll('+', ' '), 'latin1').toString('utf8'));
  } catch {
    throw new Refused('malformed percent-encoding');
  }
}

function readGet(request: RawRequest, search: string, doubts: string[]): Parameters {
  if (request.body.length > 0) doubts.push('a GET with a body');
  const types = request.valuesOf('content-type');
  const [type] = types.map(essenceOf);
  if (types.length > 1) doubts.push('several content types');
  if (type !== undefined && type !== 'application/json') doubts.push('a GET with a content type');
  const given = readSearch(search);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      name === 'variables' || name === 'extensions' ? readJson(name, value, doubts) : value,
    ]),
  );
}

function readJson(name: string, text: string, doubts: string[]): unknown {
  if (text === '') {
    doubts.push(`${name} is empty`);
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) doubts.push(`${name} is null`);
    if (typeof value === 'string') throw new Refused(`${name} is a string`);
    return value;
  } catch {
    throw new Refused(`${name} is not JSON`);
  }
}

function readPost(request: RawRequest, search: string, doubts: string[]): Parameters {
  if (search !== '') doubts.push('a POST with a query string');
  const types = request.valuesOf('content-type');
  const [type = ''] = types;
  if (types.length > 1) doubts.push('several content types');
  if (essenceOf(type) !== 'application/json') throw new Refused('another content type');
  if (!/^\s*application\/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?$/i.test(type)) {
    doubts.push('parameters of the content type');
  }
  const [coding = 'identity'] = request.valuesOf('content-encoding');
  if (coding !== 'identity') doubts.push('a compressed body');
  if (request.body.length > BODY_LIMIT_KIB * 1024) throw new Refused('too large');
  const chunks = request.framing === 'chunked' ? request.body.length / request.chunkBytes : 1;
  if (chunks > FREE_CHUNKS && request.chunkBytes < CHUNK_BYTES) doubts.push('tiny chunks');
  return parseBody(request.body, doubts);
}

function parseBody(bytes: Buffer, doubts: string[]): Parameters {
  let text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new Refused('the body is not UTF-8');
  if (text.startsWith('\ufeff')) {
    doubts.push('a byte order mark');
    text = text.slice(1);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused('the body is no object');
  }
  if (hasKey(value, '__proto__')) throw new Refused('a key __proto__');
  if (hasKey(value, 'constructor')) doubts.push('a key constructor');
  return value as Parameters;
}

/** What a client accepts: a stream, a single result as JSON, or both. */
interface Accepted {
  readonly stream: boolean;
  readonly single: boolean;
}

const JSON_TYPES = [
  'application/json',
  'application/graphql-response+json',
  'application/*',
  '*/*',
];

function interpretAccept(request: RawRequest, doubts: string[]): Accepted {
  const values = request.valuesOf('accept');
  if (values.length === 0) return { stream: false, single: true };
  const accept = values.join(',');
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return { type, parameters };
  });
  const isPlain = /^[\w/*+.\-,; ="]*$/.test(accept);
  const hasWeights = ranges.some(({ parameters }) => parameters.some((one) => one.startsWith('q')));
  const stream = ranges.some(
    ({ type, parameters }) =>
      type === 'text/event-stream' ||
      (type === 'multipart/mixed' && parameters.some((one) => one.startsWith('subscriptionspec'))),
  );
  if (!isPlain || hasWeights) doubts.push('an unusual Accept');
  const single = ranges.some(({ type }) => JSON_TYPES.includes(type));
  return { stream, single };
}

function essenceOf(type: string): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function hasKey(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, inner]) => key === name || hasKey(inner, name));
}

/** Decodes percent-encoded ASCII characters. */
function decodeAscii(text: string): string {
  return text.replace(/%[0-7][0-9a-f]/gi, (one) =>
    String.fromCharCode(Number.parseInt(one.slice(1), 16)),
  );
}

function headBytes({ target, headers }: RawRequest): number {
  return headers.reduce(
    (sum, [name, value]) => sum + name.length + value.length + 4,
    target.length,
  );
}
