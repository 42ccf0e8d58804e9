import { gzipSync } from 'node:zlib';
import type { Random } from '@gudang/testing/random';
import { mutateBytes } from '../values.ts';
import type { Entries, PayloadSource } from './generate-payload.ts';
import { createRawRequest, type Framing, type RawRequest } from './raw-request.ts';

const ACCEPTS = [
  'application/json',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json;q=0.9',
  '*/*',
  'application/*',
  'text/event-stream',
  'TEXT/EVENT-STREAM',
  'text/event-stream, application/json',
  'application/json, text/event-stream;q=0.1',
  'application/json, text/event-stream;q=0',
  'text/event-stream;q=0.5, application/json;q=0.4',
  'multipart/mixed;subscriptionSpec=1.0',
  'multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json',
  'multipart/mixed;deferSpec=20220824, application/json',
  'multipart/mixed',
  'text/html',
  'image/png',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  '',
  ',',
  ';q=1',
  'application/json;q=abc',
  'x/y;a="text/event-stream"',
];
const CONTENT_TYPES = [
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'APPLICATION/JSON',
  'application/json;',
  'application/json; charset=utf-16',
  'application/json; charset=latin1',
  'application/json; x=y',
  'application/jsonx',
  'application/graphql+json',
  'application/graphql',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/plain; application/json',
  'text/plain, application/json',
  '',
  'json',
  '*/*',
];
const PATHS = [
  '/graphql/',
  '/GraphQL',
  '/%67raphql',
  '//graphql',
  '/graphql;x',
  '/',
  '/graphql/ticket',
  '/live',
  '/./graphql',
];
const METHODS = ['HEAD', 'PUT', 'OPTIONS', 'DELETE', 'PATCH', 'QUERY', 'PROPFIND'];

export interface HttpSource {
  readonly payloads: PayloadSource;
  /** The gateway's own value of the Host header. */
  readonly host: string;
}

/**
 * Generates a request over HTTP.
 * @param marker names the request at the recording subgraph
 * @param ticket for a request as a browser's EventSource sends it
 */
export function anyHttpRequest(
  random: Random,
  marker: string,
  { payloads, host }: HttpSource,
  ticket?: string,
): RawRequest {
  const isGet = ticket !== undefined || random.chance(0.4);
  const entries = payloads.next(random, marker);
  const decoy = payloads.next(random, `${marker}:other`);
  const hasBoth = random.chance(0.1);
  const inTarget = isGet ? entries : hasBoth ? decoy : [];
  const inBody = isGet ? (hasBoth ? decoy : undefined) : entries;
  const withTicket: Entries = ticket ? [...inTarget, ['ticket', JSON.stringify(ticket)]] : inTarget;
  const search = withTicket.length > 0 ? searchOf(random, withTicket) : '';
  const body = inBody ? bodyOf(random, inBody) : Buffer.alloc(0);
  const method = random.chance(0.04) ? random.pick(METHODS) : isGet ? 'GET' : 'POST';
  return createRawRequest({
    method,
    target: targetOf(random, search, host),
    ownHost: host,
    headers: ticket
      ? [
          ['host', host],
          ['accept', 'text/event-stream'],
        ]
      : headersOf(random, isGet, host),
    body,
    framing: framingOf(random, isGet, body.length > 0),
    chunkBytes: random.between(1, random.chance(0.2) ? 3 : 4_000),
  });
}

function bodyOf(random: Random, entries: Entries): Buffer {
  const key = (name: string): string =>
    random.chance(0.03)
      ? `"${[...name].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(name);
  const object = `{${entries.map(([name, json]) => `${key(name)}:${json}`).join(',')}}`;
  const text = random.chance(0.9)
    ? object
    : random.pick([
        `[${object}]`,
        `[${object},${object}]`,
        `\ufeff${object}`,
        `${object}${object}`,
        ` \n${object}\t`,
        JSON.stringify(object),
        `${object}x`,
        '',
        'null',
        '[]',
        '{}',
        `{"data":${object}}`,
        `${object}${' '.repeat(300_000)}`,
      ]);
  const bytes = Buffer.from(text);
  if (random.chance(0.04)) return mutateBytes(random, bytes);
  return random.chance(0.01) ? gzipSync(bytes) : bytes;
}

const PIECES = [
  '#',
  '%',
  '%zz',
  '%C0%AF',
  '%ED%A0%80',
  '%FF',
  '&&',
  '&=x',
  '?',
  ';',
  '%00',
  '&x',
  '&query',
  '&query=',
  '&a=%',
  '\u00e9',
  ' ',
  '%23',
  '&variables=',
  '&operationName=',
  '&ticket=x',
  '&extensions=null',
  '&query[]=x',
  '&variables=null',
];

/** Writes parameters as a query string, with one character per byte. */
function searchOf(random: Random, entries: Entries): string {
  const pairs = entries.map(([name, json]) => {
    const value = isText(name, json) ? String(JSON.parse(json)) : json;
    return `${encode(random, name)}=${encode(random, value)}`;
  });
  const search = `?${pairs.join(random.chance(0.03) ? ';' : '&')}`;
  if (random.chance(0.85)) return search;
  const at = random.chance(0.3) ? 0 : random.between(0, search.length);
  return search.slice(0, at) + random.pick(PIECES) + search.slice(at);
}

/** Whether a parameter's value is written as text instead of JSON. */
function isText(name: string, json: string): boolean {
  return name !== 'variables' && name !== 'extensions' && json.startsWith('"');
}

function encode(random: Random, text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  if (random.chance(0.2)) return encoded.replaceAll('%20', '+');
  if (random.chance(0.05))
    return encoded.toLowerCase().includes('%')
      ? encoded.replace(/%[0-9A-F]{2}/g, (one) => one.toLowerCase())
      : encoded;
  if (random.chance(0.05))
    return encoded.replaceAll('%7B', '{').replaceAll('%7D', '}').replaceAll('%22', '"');
  if (random.chance(0.02)) return encodeURIComponent(encoded);
  return encoded;
}

function targetOf(random: Random, search: string, host: string): string {
  if (random.chance(0.02)) return `${random.pick(PATHS)}${search}`;
  if (random.chance(0.02)) return `http://${random.pick([host, 'evil.example'])}/graphql${search}`;
  if (random.chance(0.02)) return `/graphql${random.pick(['#', '#/', '%23', '?#', '#?'])}${search}`;
  return `/graphql${search}`;
}

function headersOf(random: Random, isGet: boolean, host: string): [string, string][] {
  const headers: [string, string][] = [['host', host]];
  if (random.chance(0.01))
    headers.splice(
      0,
      1,
      ...random.pick<[string, string][]>([[], [['host', 'evil.example']], [['Host', '']]]),
    );
  if (random.chance(0.7)) headers.push(['accept', random.pick(ACCEPTS)]);
  if (random.chance(0.03)) headers.push(['accept', random.pick(ACCEPTS)]);
  if (isGet) {
    if (random.chance(0.85)) {
      headers.push(
        random.pick<[string, string]>([
          ['apollo-require-preflight', 'true'],
          ['x-apollo-operation-name', 'A'],
          ['content-type', 'application/json'],
          ['Apollo-Require-Preflight', ''],
        ]),
      );
    }
  } else if (random.chance(0.88)) headers.push(['Content-Type', 'application/json']);
  else headers.push(['content-type', random.pick(CONTENT_TYPES)]);
  if (random.chance(0.02)) headers.push(['content-type', random.pick(CONTENT_TYPES)]);
  if (random.chance(0.02))
    headers.push(['origin', random.pick(['https://evil.example', 'null', `http://${host}`])]);
  if (random.chance(0.02))
    headers.push(['content-encoding', random.pick(['gzip', 'identity', 'br', 'x'])]);
  if (random.chance(0.02))
    headers.push(
      random.pick<[string, string]>([
        ['tracestate', 'a=1'],
        ['traceparent', 'x'],
        ['last-event-id', 'x'],
        ['cookie', 'a=b'],
        ['x-forwarded-for', '::'],
        ['gudang-identity', 'e30'],
        ['authorization', ''],
      ]),
    );
  return headers;
}

function framingOf(random: Random, isGet: boolean, hasBody: boolean): Framing {
  if (random.chance(0.02)) {
    // A server may answer a GET before it has read the body, so a bad chunk is no defect there.
    const broken = ['chunked and length', 'two lengths', 'bad length', 'bad chunk'] as const;
    return random.pick(isGet ? broken.slice(0, 3) : broken);
  }
  if (!hasBody) return random.chance(0.9) ? 'none' : 'length';
  return random.chance(0.8) ? 'length' : 'chunked';
}
