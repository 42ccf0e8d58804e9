import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROTOCOLS, type ProtocolStream } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.items.requests.length = 0;
});

const QUERY = '{ hello(name: "you") }';
const JSON_TYPE = { 'content-type': 'application/json' };

const send = (body: string | Buffer, headers: Record<string, string>, method = 'POST') =>
  fetch(`${gateway.url}/graphql`, { method, headers, body });
const get = (fields: Record<string, string>, headers: Record<string, string>) =>
  fetch(`${gateway.url}/graphql?${new URLSearchParams(fields)}`, { headers });

describe('a body', () => {
  const text = (name: string): Buffer =>
    Buffer.from(JSON.stringify({ query: `{ hello(name: "${name}") }` }));
  const malformed = text('*');
  malformed[malformed.indexOf('*')] = 0xff;
  const twoByteSequence = text('**');
  twoByteSequence.set([0xc0, 0x80], twoByteSequence.indexOf('**'));

  it.each<[string, Buffer, Record<string, string>, number]>([
    ['bytes that are not UTF-8', malformed, JSON_TYPE, 400],
    ['an overlong encoding', twoByteSequence, JSON_TYPE, 400],
    ['UTF-16', Buffer.from(String(text('you')), 'utf16le'), JSON_TYPE, 400],
    ['another charset', text('you'), { 'content-type': 'application/json;charset=utf-16' }, 415],
    ['compression', gzipSync(text('you')), { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415],
    ['another type', text('you'), { 'content-type': 'text/plain' }, 415],
    [
      'a form',
      Buffer.from('query={a}'),
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
    ],
    ['text that is not JSON', Buffer.from('{"query":'), JSON_TYPE, 400],
    [
      'a number out of range',
      Buffer.from(`{"query":"${'{ best { id } }'}","variables":{"a":[1e999]}}`),
      JSON_TYPE,
      400,
    ],
  ])('is rejected with %s', async (_what, body, headers, status) => {
    const response = await send(body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'BAD_REQUEST' } }],
    });
    expect(toys.items.requests).toHaveLength(0);
  });

  it.each([
    'application/json; charset=UTF-8',
    'application/json;charset="utf-8"',
    'Application/JSON',
  ])('is read as %s', async (type) => {
    const response = await send(text('Zoë 🌿'), { 'content-type': type });
    expect(await response.json()).toEqual({ data: { hello: 'hello Zoë 🌿' } });
  });

  it('is read after a byte order mark', async () => {
    const response = await send(Buffer.concat([Buffer.from('\ufeff'), text('you')]), JSON_TYPE);
    expect(await response.json()).toEqual({ data: { hello: 'hello you' } });
  });
});

describe('the response type', () => {
  const asked = (accept: string) =>
    send(JSON.stringify({ query: QUERY }), { ...JSON_TYPE, accept });

  it.each([
    ['application/json, text/event-stream;q=0.1', 'application/json; charset=utf-8'],
    ['text/event-stream;q=0, */*', 'application/json; charset=utf-8'],
    ['text/event-stream, application/json', 'application/json; charset=utf-8'],
    ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
    ['text/event-stream', 'text/event-stream; charset=utf-8'],
  ])('of a query that accepts %s is %s', async (accept, type) => {
    const response = await asked(accept);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(type);
    expect(await response.text()).toContain('"hello you"');
  });

  it.each(['text/html', 'multipart/mixed;subscriptionSpec=1.0', ''])(
    'is missing for a query that accepts %j',
    async (accept) => {
      expect((await asked(accept)).status).toBe(406);
    },
  );

  it.each(['*/*', 'application/json', 'text/event-stream;q=0'])(
    'is missing for a subscription that accepts %s',
    async (accept) => {
      const query = 'subscription { itemFeed { n } }';
      const response = await send(JSON.stringify({ query }), { ...JSON_TYPE, accept });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('text/event-stream');
    },
  );
});

it('names the allowed methods', async () => {
  const put = await send('{}', JSON_TYPE, 'PUT');
  expect(put.status).toBe(404);
  const options = await fetch(`${gateway.url}/graphql`, { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow')]).toEqual([405, 'GET, POST']);
  const query = 'mutation { rename(input: {id: "1", name: "x"}) { id } }';
  for (const accept of ['application/json', 'text/event-stream']) {
    const response = await get({ query }, { accept, 'apollo-require-preflight': '1' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  }
});

it('answers a GET that also accepts streams with JSON, without a header that shows a preflight', async () => {
  const accept = 'application/graphql-response+json, application/json, text/event-stream';
  const response = await get({ query: QUERY }, { accept });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ data: { hello: 'hello you' } });
  const foreign = await get({ query: QUERY }, { accept, origin: 'https://evil.example' });
  expect(foreign.status).toBe(403);
});

describe('a query over every protocol', () => {
  /** Queries that are answered once: over websocket and event stream. */
  const [overWebsocket, overEvents] = PROTOCOLS.map(([, open]) => open);

  it('shares one execution', async () => {
    const release = toys.items.holdNext();
    const query = '{ items { id name } }';
    const shared = await gateway.metric('gateway_shared_queries_total');
    const streams = [overWebsocket, overEvents].map(
      (open) => open?.(gateway.url, { query }) as ProtocolStream,
    );
    const posted = gateway.post({ query });
    await vi.waitFor(async () =>
      expect(await gateway.metric('gateway_shared_queries_total')).toBe(shared + 2),
    );
    release();
    const { data } = await posted;
    for (const stream of streams) {
      expect(await stream.take()).toEqual({ data });
      stream.leave();
    }
    expect(toys.items.requests).toHaveLength(1);
  });
});
