import { cpuUsage } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

/** Maximum size of an answer that contains only errors, in bytes. */
const MAX_ANSWER = 40 * 1024;
const MAX_ERRORS = 21;
/** Less than LIMIT_MESSAGE_KIB, so that the requests also fit into a websocket message. */
const SIZE = 60_000;

const long = 'x'.repeat(SIZE);
const half = 'x'.repeat(SIZE / 2);
const many = (count: number, text: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ');
const unknownFields = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f${n}`, n]));
const RENAME = 'mutation ($i: RenameInput!) { rename(input: $i) { id } }';

interface Bad {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const REQUESTS: readonly [string, Bad][] = [
  ['a syntax error at a long name', { query: `{ hello(${half} ${half}` }],
  ['a long unknown field', { query: `{ ${long} }` }],
  ['many unknown fields', { query: `{ items { ${many(1_900, (n) => `f${n}`)} } }` }],
  ['many long unknown fields', { query: `{ items { ${many(50, () => 'y'.repeat(1_100))} } }` }],
  ['a long unknown argument', { query: `{ hello(${long}: 1) }` }],
  ['a long unknown type', { query: `query ($v: ${long}) { hello(name: $v) }` }],
  ['a long undefined variable', { query: `{ hello(name: $${long}) }` }],
  ['a long unknown directive', { query: `{ hello(name: "a") @${long} }` }],
  ['a long unknown fragment', { query: `{ ...${long} }` }],
  ['a long operation name', { query: 'query A { hello(name: "a") }', operationName: long }],
  [
    'a long enum value',
    { query: `subscription { itemChanged(id: "1", size: ${long}) { delta } }` },
  ],
  ['a long text for a number', { query: `{ items(first: "${long}") { id } }` }],
  ['long conflicting fields', { query: `{ ${half}: hello(name: "a") ${half}: __typename }` }],
  [
    'many conflicting fields',
    { query: `{ item(id: 1) { ${many(90, (n) => `a: ${n % 2 ? 'id' : 'name'}`)} } }` },
  ],
  ['many empty objects', { query: `{ item(id: [${many(900, () => '{}')}]) { id } }` }],
  [
    'a long unknown field of an object',
    { query: `mutation { rename(input: {${long}: 1}) { id } }` },
  ],
  ['many unknown fields in a variable', { query: RENAME, variables: { i: unknownFields } }],
  ['a long unknown field in a variable', { query: RENAME, variables: { i: { [long]: 1 } } }],
  [
    'a long text in a variable',
    { query: RENAME, variables: { i: { id: 1, name: 'a', count: long } } },
  ],
  [
    'an object in a variable',
    { query: RENAME, variables: { i: { id: unknownFields, name: 'a' } } },
  ],
  [
    'a variable in many places',
    {
      query: `query ($v: Int!) { items(first: $v) { id } ${many(45, (n) => `b${n}: best { rating(scale: $v) }`)} }`,
      variables: { v: long },
    },
  ],
];

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateways: TestGateway[];
beforeAll(async () => {
  toys = await startToyGraph();
  const sdl = composeToys(toys.items.url, toys.ratings.url);
  gateways = [await startTestGateway(sdl), await startTestGateway(sdl, { NODE_ENV: 'production' })];
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  await toys.stop();
});

const overPost =
  (accept: string, method = 'POST') =>
  async ({ url }: TestGateway, request: Bad): Promise<string> => {
    const response = await fetch(`${url}/graphql`, {
      method,
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(request),
    });
    return response.text();
  };

async function overWebsocket({ wsUrl }: TestGateway, request: Bad): Promise<string> {
  const socket = new WebSocket(wsUrl, 'graphql-transport-ws');
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
      socket.once('open', () => socket.send('{"type":"connection_init"}'));
      socket.on('message', (data) => {
        const { type } = JSON.parse(String(data));
        if (type !== 'connection_ack') resolve(String(data));
        else socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: request }));
      });
    });
  } finally {
    socket.terminate();
  }
}

const PROTOCOLS = [
  ['POST', overPost('application/json')],
  ['server-sent events', overPost('text/event-stream')],
  ['multipart', overPost('multipart/mixed;subscriptionSpec="1.0"')],
  ['a websocket', overWebsocket],
] as const;

describe.each(PROTOCOLS)('the answer to a bad request over %s', (_protocol, ask) => {
  it.each(REQUESTS)('is small for %s', async (_what, request) => {
    for (const gateway of gateways) {
      const answer = await ask(gateway, request);
      expect(answer).toContain('"message"');
      expect(answer).not.toContain('INTERNAL_SERVER_ERROR');
      expect(Buffer.byteLength(answer)).toBeLessThan(MAX_ANSWER);
      expect(answer.split('"message"').length - 1).toBeLessThanOrEqual(MAX_ERRORS);
    }
  });
});

it('refuses a text that looks like suggestions in little CPU time', async () => {
  const query = `{ items(first: "${'Did you mean '.repeat(19_000)}") { id } }`;
  for (const gateway of gateways) {
    const started = cpuUsage();
    expect((await gateway.post({ query })).status).toBe(400);
    const { user, system } = cpuUsage(started);
    expect((user + system) / 1000).toBeLessThan(1_000);
  }
});

it.each(['\n', '\r', '\r\n'])(
  'refuses more lines than tokens are allowed (%j)',
  async (lineBreak) => {
    for (const gateway of gateways) {
      const ask = (breaks: number) =>
        gateway.post({ query: `{${lineBreak.repeat(breaks)} hello(name: "a") }` });
      expect((await ask(1_999)).status).toBe(200);
      expect(await ask(2_000)).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'lines', max: 2_000 } }],
      });
    }
  },
);

it('limits the errors of a subgraph, and says how many are left out', async () => {
  for (const gateway of gateways) {
    const fields = many(45, (n) => `f${n}: fail(code: "C${n}")`);
    const { errors = [] } = await gateway.post({ query: `{ ${fields} }` });
    expect(errors).toHaveLength(MAX_ERRORS);
    expect(errors.at(-1)).toEqual({
      message: '25 more errors are left out',
      extensions: { code: 'TOO_MANY_ERRORS', omitted: 25 },
    });
  }
});
