import { createHash } from 'node:crypto';

/** A request that tries to cost the gateway much CPU time or to receive a large answer. */
export interface HostileRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query string. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Size of the chunks of the body, in bytes; undefined: the body is sent as a whole. */
  readonly chunkBytes?: number;
}

/** Generates a request. Each number gives another text, so that no cache helps. */
export type HostileKind = (number: number) => HostileRequest;

/** Maximum size of a body and of a head, in characters. */
const BODY = 255 * 1024;
const HEAD = 14 * 1024;

/** Returns a request with the payload as its body. */
export const post = (payload: object, headers: Record<string, string> = {}): HostileRequest =>
  postText(JSON.stringify(payload), headers);
const postText = (body: string, headers: Record<string, string> = {}): HostileRequest => ({
  method: 'POST',
  target: '/graphql',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});
const get = (target: string, headers: Record<string, string> = {}): HostileRequest => ({
  method: 'GET',
  target,
  headers: { 'apollo-require-preflight': 'true', ...headers },
  body: '',
});
const times = (count: number, text: (index: number) => string, separator = ' '): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(separator);
/** Repeats a text as often as it fits into a length. */
const filled = (length: number, text: string): string =>
  text.repeat(Math.floor(length / text.length));
const nested = (levels: number, open: string, inner: string, close: string): string =>
  `${open.repeat(levels)}${inner}${close.repeat(levels)}`;
const headerKind = (name: string, value: string): HostileKind => {
  return (number) => post({ query: `{ n${number}: stockCursor }` }, { [name]: value });
};

const NAMES = (count: number): string => times(count, (index) => `a${index}: name`);

/** Large answers: aliases of long strings, long lists, and many errors. */
const ANSWERS = {
  'aliases of a long field': (number: number) =>
    post({ query: `{ s${number}: stocks(first: 100) { nodes { ${NAMES(98)} } } }` }),
  'aliases of a long field in nested lists': (number: number) =>
    post({
      query: `{ s${number}: stocks(first: 100) { nodes { movements(first: 98) { nodes { ${times(90, (index) => `a${index}: reason`)} } } } } }`,
    }),
  'aliased lists': (number: number) =>
    post({
      query: `{ s${number}: stocks(first: 1) { nodes { ${times(90, (index) => `a${index}: movements(first: 100) { nodes { reason } }`)} } } }`,
    }),
  'root fields with long lists': (number: number) =>
    post({
      query: `{ ${times(49, (index) => `a${index}: stocks(first: ${100 - (number % 50)}) { nodes { id name } }`)} }`,
    }),
  'a bad value used at many places': (number: number) =>
    post({
      query: `query Q${number}($i: Int) { ${times(49, (index) => `a${index}: stocks(first: $i, last: $i) { nodes { movements(first: $i) { nodes { kind } } } }`)} }`,
      variables: { i: { x: 'a'.repeat(BODY - 8_000) } },
    }),
  'a text used at many places that refuse it': (number: number) =>
    post({
      query: `query Q${number}($i: String) { ${times(49, (index) => `a${index}: stocks(search: $i, after: $i) { nodes { movements(after: $i) { nodes { kind } } } }`)} }`,
      variables: { i: 'a'.repeat(BODY - 8_000) },
    }),
  'unknown fields of an input': (number: number) =>
    postText(
      `{"query":"mutation M${number}($i: AddStockInput!) { addStock(input: $i) { id } }","variables":{"i":{${times(BODY / 12, (index) => `"f${index}":1`, ',')}}}}`,
    ),
  'wrong elements of a list': (number: number) =>
    postText(
      `{"query":"subscription S${number}($i: [ID!]) { stockChanged(ids: $i) { kind } }","variables":{"i":[${filled(BODY - 200, '{},')}{}]}}`,
      { accept: 'text/event-stream' },
    ),
  'unknown fields': (number: number) =>
    post({ query: `{ ${times(900, (index) => `unknownField${index}n${number}`)} }` }),
  'fields with similar names': (number: number) =>
    post({ query: `{ stocks { nodes { ${times(900, (index) => `nam${index}n${number}`)} } } }` }),
} satisfies Readonly<Record<string, HostileKind>>;

const DOUBLING = (number: number): string => {
  const fragments = times(
    14,
    (index) => `fragment F${index} on Stock { a${index}: name ...F${index + 1} ...F${index + 1} }`,
  );
  return `{ s${number}: stock(id: "x") { ...F0 } } ${fragments} fragment F14 on Stock { id }`;
};
const CONFLICTS = times(110, (index) => `movements(first: ${index}) { nodes { kind } }`);

/** Costly documents: for the lexer, the parser, validation, and the planner. */
const DOCUMENTS = {
  'aliased root fields of both subgraphs': (number: number) =>
    post({
      query: `{ ${times(49, (index) => `a${index}: stock(id: "${number}") { id orders(first: 1) { nodes { id stock { name } } } }`)} }`,
    }),
  'doubling fragments': (number: number) => post({ query: DOUBLING(number) }),
  'many spreads': (number: number) =>
    post({
      query: `{ s${number}: stock(id: "x") { ${times(190, () => '...F')} } } fragment F on Stock { id name orders(first: 1) { nodes { id } } }`,
    }),
  'nested entities': (number: number) =>
    post({
      query: `{ s${number}: stock(id: "x") { ${nested(6, 'orders(first: 1) { nodes { stock { ', 'id', ' } } }')} } }`,
    }),
  'conflicting fields': (number: number) =>
    post({ query: `{ s${number}: stock(id: "x") { ${CONFLICTS} } }` }),
  'conflicting fragments': (number: number) =>
    post({
      query: `{ s${number}: stock(id: "x") { ${times(90, (index) => `...F${index}`)} } } ${times(90, (index) => `fragment F${index} on Stock { a: name movements(first: ${index}) { nodes { kind } } }`)}`,
    }),
  'cyclic fragments': (number: number) =>
    post({
      query: `{ s${number}: stock(id: "x") { ...F0 } } ${times(150, (index) => `fragment F${index} on Stock { ...F${(index + 1) % 150} }`)}`,
    }),
  'many variables': (number: number) =>
    post({
      query: `query Q${number}(${times(480, (index) => `$v${index}: Int`)}) { stockCursor }`,
    }),
  'a long comment': (number: number) =>
    post({ query: `{ stockCursor } #${number}${'x'.repeat(BODY - 200)}` }),
  'many short comments': (number: number) =>
    post({ query: `{ stockCursor } #${number}${filled(BODY / 2 - 200, '\n#')}` }),
  'many commas': (number: number) =>
    post({ query: `{ stockCursor${number}${','.repeat(BODY - 200)} }` }),
  'a long name': (number: number) => post({ query: `{ a${number}${'x'.repeat(BODY - 200)} }` }),
  'a long text': (number: number) =>
    post({ query: `{ stock(id: "${number}${'x'.repeat(BODY - 200)}") { id } }` }),
  'a long block text': (number: number) =>
    post({ query: `{ stock(id: """${number}${filled(BODY / 2 - 200, '\n  x')}""") { id } }` }),
  'an unterminated text': (number: number) =>
    post({ query: `{ stock(id: "${number}${filled(BODY / 4, '\\u{1}')}` }),
  'a long number': (number: number) =>
    post({ query: `{ stocks(first: 1${number}${'1'.repeat(BODY - 200)}) { nodes { id } } }` }),
  'many directives': (number: number) =>
    post({
      query: `{ s${number}: stock(id: "x") { name ${times(49, () => '@include(if: true)')} } }`,
    }),
  'nested literals': (number: number) =>
    post({ query: `{ s${number}: stock(id: ${nested(900, '[', '1', ']')}) { id } }` }),
  'many operations': (number: number) =>
    post({
      query: times(300, (index) => `query Q${index}n${number} { stockCursor }`),
      operationName: `Q299n${number}`,
    }),
  'the whole schema': (number: number) =>
    post({
      query: `{ s${number}: __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } }`,
    }),
  'a persisted query with a long text': (number: number) => {
    const query = `{ n${number}: stockCursor } #${'x'.repeat(BODY - 500)}`;
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    return post({ query, extensions: { persistedQuery: { version: 1, sha256Hash } } });
  },
} satisfies Readonly<Record<string, HostileKind>>;

const cursor = (number: number): string => `"query":"{ n${number}: stockCursor }"`;

/** Costly bodies and variables. */
const BODIES = {
  'an error path in a key': (number: number) =>
    postText(
      `{"query":"query Q${number}($i: Int) { stocks(first: $i) { nodes { id } } }","variables":{"i":{" at \\"${'a'.repeat(BODY - 300)}":1}}}`,
    ),
  'many quotes in a key': (number: number) =>
    postText(
      `{"query":"query Q${number}($i: Int) { stocks(first: $i) { nodes { id } } }","variables":{"i":{"${filled(BODY - 300, ' at \\"a\\"; ')}":1}}}`,
    ),
  'deep arrays': (number: number) =>
    postText(`{${cursor(number)},"variables":{"a":${nested(BODY / 2 - 100, '[', '', ']')}}}`),
  'deep objects': (number: number) =>
    postText(`{${cursor(number)},"variables":${nested(BODY / 6 - 100, '{"a":', '1', '}')}}`),
  'many keys': (number: number) =>
    postText(
      `{${cursor(number)},"variables":{${times(BODY / 12, (index) => `"k${index}":1`, ',')}}}`,
    ),
  'many top-level keys': (number: number) =>
    postText(`{${cursor(number)},${times(BODY / 12, (index) => `"k${index}":1`, ',')}}`),
  'the same key many times': (number: number) =>
    postText(`{${cursor(number)},${filled(BODY - 200, '"query":"x",')}"x":1}`),
  'many small values': (number: number) =>
    postText(`{${cursor(number)},"variables":{"a":[${filled(BODY - 200, '{},')}1]}}`),
  'a long escaped text': (number: number) =>
    postText(`{${cursor(number)},"variables":{"a":"${filled(BODY - 200, '\\ud83d\\ude00')}"}}`),
  'a long number in variables': (number: number) =>
    postText(`{${cursor(number)},"variables":{"a":${'9'.repeat(BODY - 200)}}}`),
  'long extensions': (number: number) =>
    postText(`{${cursor(number)},"extensions":{"live":{"after":"${'x'.repeat(BODY - 300)}"}}}`),
  'a batch': (number: number) =>
    postText(`[${times(BODY / 60, (index) => `{${cursor(number * 10_000 + index)}}`, ',')}]`),
  'chunks of one byte': (number: number) => ({
    ...postText(`{${cursor(number)},"x":"${'x'.repeat(BODY / 6)}"}`),
    chunkBytes: 1,
  }),
  'chunks of one byte, refused': (number: number) => ({
    ...postText(`{"query":"{ n${number}","x":"${'x'.repeat(BODY / 6)}"}`),
    chunkBytes: 1,
  }),
  'many keys, refused': (number: number) =>
    postText(
      `{"query":"{ n${number}","variables":{${times(BODY / 12, (index) => `"k${index}":1`, ',')}}}`,
    ),
  'a search of a long text': (number: number) =>
    post({
      query: `query Q${number}($s: String) { stocks(search: $s) { nodes { id } } }`,
      variables: { s: '%_'.repeat(BODY / 2 - 300) },
    }),
} satisfies Readonly<Record<string, HostileKind>>;

/** Costly heads. */
const HEADS = {
  'Accept: many ranges': headerKind('accept', filled(HEAD, 'a/a,')),
  'Accept: many weights': headerKind('accept', filled(HEAD, 'a/a;q=0.1,')),
  'Accept: multipart parameters': headerKind('accept', filled(HEAD, 'multipart/mixed;')),
  'Accept: repeated multipart ranges': headerKind('accept', filled(HEAD, 'multipart/mixed ')),
  'Accept: an open quote': headerKind('accept', `a/a;b="${filled(HEAD, '\\"')}`),
  'Accept: spaces': headerKind('accept', `a/a${' '.repeat(HEAD)}x`),
  'Content-Type: many parameters': headerKind(
    'content-type',
    `application/json${filled(HEAD, ';a=b')}`,
  ),
  'Content-Type: spaces': headerKind('content-type', `application/json;${' '.repeat(HEAD)}x`),
  'Content-Type: spaces, refused': (number: number) => ({
    ...post({ query: `{ n${number}` }, { 'content-type': `application/json;${' '.repeat(HEAD)}x` }),
  }),
  'GET Content-Type: spaces': (number: number) =>
    get(`/graphql?query=%7Bn${number}:stockCursor%7D`, {
      'content-type': `application/json;${' '.repeat(HEAD)}x`,
    }),
  'Authorization: a long token': headerKind('authorization', `Bearer ${'a'.repeat(HEAD)}`),
  'Authorization: spaces': headerKind('authorization', `Bearer${' '.repeat(HEAD)}x`),
  'Authorization: a token with deep claims': headerKind(
    'authorization',
    `Bearer ${Buffer.from(nested(4_000, '[', '', ']')).toString('base64url')}.e30.AAAA`,
  ),
  'tracestate: long': headerKind('tracestate', filled(HEAD, 'a=1,')),
  'traceparent: long': headerKind('traceparent', filled(HEAD, '00-')),
  'X-Forwarded-For: long': headerKind('x-forwarded-for', filled(HEAD, '1.1.1.1, ')),
  'Origin: long': headerKind('origin', `https://${filled(HEAD, 'a.')}example`),
  'Cookie: long': headerKind('cookie', filled(HEAD, 'a=b; ')),
  'Last-Event-ID: long': headerKind('last-event-id', 'x'.repeat(HEAD)),
  'a target with many parameters': (number: number) =>
    get(`/graphql?query=%7Bn${number}:stockCursor%7D${filled(HEAD, '&a')}`),
  'a target with many escapes': (number: number) =>
    get(`/graphql?query=%7Bn${number}:stockCursor%7D%23${filled(HEAD, '%41')}`),
  'a target with many equal signs': (number: number) =>
    get(`/graphql?query=%7Bn${number}:stockCursor%7D&a${'='.repeat(HEAD)}`),
  'a long path': (number: number) => get(`/graphql${number}${'/..'.repeat(HEAD / 3)}`),
} satisfies Readonly<Record<string, HostileKind>>;

export const HOSTILE_KINDS = { ...ANSWERS, ...DOCUMENTS, ...BODIES, ...HEADS };
