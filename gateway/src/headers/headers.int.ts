import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import fc from 'fast-check';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startEchoGraph } from '../testing/echo-graph.ts';
import { type Outcome, PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';

const RULES = {
  toSubgraphs: [
    { forward: 'x-tenant' },
    { forward: 'x-lang', as: 'x-language', subgraphs: ['second'] },
    { forward: 'authorization', subgraphs: ['second'] },
    { insert: 'x-source', value: 'gateway' },
  ],
  toClients: [
    { return: 'set-cookie', subgraphs: ['first'] },
    { return: 'x-cost', as: 'x-total-cost' },
    { insert: 'x-served-by', value: 'gudang' },
  ],
};

let graph: Awaited<ReturnType<typeof startEchoGraph>>;
let folder: string;
let gateway: TestGateway;

async function write(rules: unknown): Promise<string> {
  const file = join(folder, `${Math.random()}.json`);
  await writeFile(file, JSON.stringify(rules));
  return file;
}

beforeAll(async () => {
  graph = await startEchoGraph();
  folder = await mkdtemp(join(tmpdir(), 'headers-'));
  gateway = await startTestGateway(graph.sdl, {
    HEADER_RULES: await write(RULES),
    LIVE_UPSTREAMS: '3',
    DRAIN_MS: '0',
    CORS_ORIGINS: 'https://shop.example',
  });
});
afterAll(async () => {
  await gateway.stop();
  await graph.stop();
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  graph.first.answerHeaders = () => ({});
  await gateway.closeClients();
  await vi.waitFor(() => expect(graph.first.sockets()).toBe(0));
  for (const { requests, operations } of [graph.first, graph.second]) {
    requests.length = 0;
    operations.length = 0;
  }
});

type Headers = Record<string, string>;

async function send(query: string, headers: Headers = {}, url = gateway.url) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return { response, ...((await response.json()) as { data: Record<string, unknown> }) };
}

/** Returns the headers that a subgraph has received, of its field `seen`. */
const read = (seen: unknown): Headers => JSON.parse(String(seen));

const BOTH = '{ seen thing { seen } }';
const TICKED = 'subscription { ticked { n seen thing { seen } } }';

describe('a gateway with rules', () => {
  it('forwards, renames and inserts headers, and no others', async () => {
    const sent = {
      'x-tenant': 'a',
      'x-lang': 'id',
      'x-other': 'o',
      cookie: 'c',
      authorization: 't',
    };
    const { data } = await send(BOTH, sent);
    expect(read(data['seen'])).toEqual({ 'x-tenant': 'a', 'x-source': 'gateway' });
    expect(read((data['thing'] as { seen: string }).seen)).toEqual({
      'x-tenant': 'a',
      'x-language': 'id',
      authorization: 't',
      'x-source': 'gateway',
    });
    expect(graph.first.requests[0]?.headers['cookie']).toBeUndefined();
  });

  it('inserts headers into the probe of a subgraph', async () => {
    graph.first.requests.length = 0;
    await vi.waitFor(async () => {
      await fetch(`${gateway.url}/readyz`);
      expect(graph.first.requests[0]?.headers['x-source']).toBe('gateway');
    });
  });

  it('refuses forwarded headers above 8 KiB with 431', async () => {
    const { response } = await send(BOTH, { 'x-tenant': 'a'.repeat(8_200) });
    expect(response.status).toBe(431);
    expect(graph.first.requests).toEqual([]);
  });

  it('returns headers of subgraphs, and lets pages read them', async () => {
    graph.first.answerHeaders = () => ({
      'set-cookie': ['a=1', 'b=2'],
      'x-cost': '3',
      'x-other': 'o',
    });
    const { response } = await send('{ seen }', { origin: 'https://shop.example' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('x-total-cost')).toBe('3');
    expect(response.headers.get('x-other')).toBeNull();
    expect(response.headers.get('x-served-by')).toBe('gudang');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-expose-headers')).toMatch(
      /, x-total-cost, x-served-by$/,
    );
    const { response: again } = await send('{ thing { id } }');
    expect(again.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('does not replay returned headers on the fast path', async () => {
    const query = '{ seen thing { id } }';
    graph.first.answerHeaders = () => ({ 'set-cookie': 'first=1' });
    expect((await send(query)).response.headers.getSetCookie()).toEqual(['first=1']);
    graph.first.answerHeaders = () => ({});
    for (let run = 0; run < 2; run += 1) {
      expect((await send(query)).response.headers.getSetCookie()).toEqual([]);
    }
    graph.first.answerHeaders = () => ({ 'set-cookie': 'last=1' });
    expect((await send(query)).response.headers.getSetCookie()).toEqual(['last=1']);
  });

  it.each([
    ['an execution', BOTH, BOTH],
    ['a subgraph request', '{ seen }', '{  seen }'],
  ])('never shares %s whose answer has returned headers', async (_what, one, other) => {
    let count = 0;
    graph.first.answerHeaders = () => ({ 'set-cookie': `n=${++count}` });
    const release = graph.first.holdNext();
    const asked = [one, other, other, one].map((query) => send(query));
    await vi.waitFor(() => expect(graph.first.requests).toHaveLength(1));
    await send('{ __typename }');
    release();
    const cookies = (await Promise.all(asked)).map(({ response }) =>
      response.headers.getSetCookie(),
    );
    expect(new Set(cookies.flat())).toEqual(new Set(['n=1', 'n=2', 'n=3', 'n=4']));
    expect(cookies.every(({ length }) => length === 1)).toBe(true);
  });

  it('shares executions among clients with the same forwarded headers', async () => {
    const release = graph.first.holdNext();
    const headers = ['a', 'a', 'b', 'b'].map((tenant) => ({ 'x-tenant': tenant }));
    const asked = headers.map((sent) => send(BOTH, sent));
    await vi.waitFor(() => expect(graph.first.requests).toHaveLength(2));
    await send('{ __typename }');
    release();
    const seen = (await Promise.all(asked)).map(({ data }) => read(data['seen'])['x-tenant']);
    expect(seen).toEqual(['a', 'a', 'b', 'b']);
    expect(graph.first.requests).toHaveLength(2);
  });

  it('has one upstream connection for each set of forwarded headers, up to the limit', async () => {
    const open = (tenant: string) =>
      PROTOCOLS[1][1](gateway.url, { query: TICKED }, undefined, { 'x-tenant': tenant });
    const streams = ['a', 'b', 'a', 'c'].map(open);
    await vi.waitFor(() => expect(graph.listening()).toBe(3));
    expect(graph.first.sockets()).toBe(3);
    expect(graph.first.operations.map(({ params }) => params)).toContainEqual({
      gudang: { cursors: true },
      headers: { 'x-tenant': 'b', 'x-source': 'gateway' },
    });
    const refused = open('d');
    expect(await refused.take()).toMatchObject({
      errors: [{ extensions: { code: 'OVERLOADED' } }],
    });
    streams[1]?.leave();
    await vi.waitFor(() => expect(graph.first.sockets()).toBe(2));
    const accepted = open('d');
    await vi.waitFor(() => expect(graph.first.sockets()).toBe(3));
    for (const stream of [...streams, refused, accepted]) stream.leave();
  });

  it('reads connection_init, and closes a websocket whose member cannot be a header', async () => {
    const connect = (params: Headers) =>
      new Promise<number>((resolve) => {
        const client = createClient({
          url: gateway.wsUrl,
          webSocketImpl: WebSocket,
          lazy: false,
          retryAttempts: 0,
          connectionParams: params,
          onNonLazyError: () => {},
          on: { closed: (event) => resolve((event as { code: number }).code) },
        });
        client.on('connected', () => void client.dispose());
      });
    expect(await connect({ 'x-tenant': 'a\r\nx-source: forged' })).toBe(4400);
    expect(await connect({ 'x-tenant': 'a'.repeat(9_000) })).toBe(4400);
    expect(await connect({ 'x-tenant': 'a' })).toBe(1000);
  });
});

/** One way to read `seen` of both subgraphs. @returns the headers that they have received */
type Way = (tenant: string) => Promise<Headers[]>;

const both = ({ seen, thing }: Record<string, unknown>): Headers[] => [
  read(seen),
  read((thing as { seen: unknown }).seen),
];

function expectOwnCookies({ headers }: Response, tenant: string): void {
  expect(headers.getSetCookie()).toEqual(tenant === 'b' ? ['of=b'] : []);
}

const overPost: Way = async (tenant) => {
  const { data, response } = await send(BOTH, { 'x-tenant': tenant });
  expectOwnCookies(response, tenant);
  return both(data);
};
const overGet: Way = async (tenant) => {
  const headers = { 'x-tenant': tenant, 'apollo-require-preflight': '1' };
  const response = await fetch(`${gateway.url}/graphql?query=${encodeURIComponent(BOTH)}`, {
    headers,
  });
  expectOwnCookies(response, tenant);
  return both(((await response.json()) as { data: Headers }).data);
};
const overMutation: Way = async (tenant) => {
  const { data, response } = await send('mutation { change }', { 'x-tenant': tenant });
  expectOwnCookies(response, tenant);
  return [read(data['change'])];
};

/** Reads by a query whose second field is deferred, in an answer of several parts. */
const overDefer: Way = async (tenant) => {
  const query = '{ seen thing { id ... @defer { seen } } }';
  const accept = 'multipart/mixed;deferSpec=20220824, application/json';
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, 'x-tenant': tenant },
    body: JSON.stringify({ query }),
  });
  expectOwnCookies(response, tenant);
  const lines = (await response.text()).split('\r\n').filter((line) => line.startsWith('{'));
  const [first, next] = lines.map((line) => JSON.parse(line));
  return [read(first.data.seen), read(next.incremental[0].data.seen)];
};

/** Reads by a stream of a protocol: a query, or one event of a subscription. */
function overStream(protocol: (typeof PROTOCOLS)[number], query: string): Way {
  return (tenant) =>
    new Promise((resolve, reject) => {
      const [name, open] = protocol;
      const found = async ({ take, leave }: ReturnType<typeof open>): Promise<void> => {
        const outcome = (await take()) as Exclude<Outcome, string>;
        leave();
        const { data } = outcome;
        if (data) resolve(both((data['ticked'] ?? data) as Record<string, unknown>));
        else reject(new Error(JSON.stringify(outcome)));
      };
      const isSocket = name === 'graphql-transport-ws';
      const stream = isSocket
        ? open(gateway.url, { query }, undefined, undefined, { 'X-Tenant': tenant })
        : open(gateway.url, { query }, undefined, { 'x-tenant': tenant });
      found(stream).catch(reject);
    });
}

const [SOCKET, SSE, MULTIPART] = PROTOCOLS;
const WAYS: readonly Way[] = [
  overPost,
  overGet,
  overMutation,
  overDefer,
  overStream(SOCKET, BOTH),
  overStream(SSE, BOTH),
  ...[SOCKET, SSE, MULTIPART].map((protocol) => overStream(protocol, TICKED)),
];

describe('two clients', () => {
  it('never see the forwarded headers or the cookies of each other, on any way', async () => {
    graph.first.answerHeaders = ({ 'x-tenant': tenant }) =>
      tenant === 'b' ? { 'set-cookie': `of=${tenant}` } : {};
    // Ticks until every subscription has received an event.
    const ticking = setInterval(graph.tick, 5);
    const way = fc.constantFrom(...WAYS);
    const tenant = fc.constantFrom('a', 'b');
    const property = fc.asyncProperty(
      fc.array(fc.tuple(way, tenant), { minLength: 2, maxLength: 8 }),
      async (requests) => {
        const answers = await Promise.all(requests.map(([ask, of]) => ask(of)));
        for (const [index, [, of]] of requests.entries()) {
          for (const seen of answers[index] ?? []) expect(seen['x-tenant']).toBe(of);
        }
      },
    );
    await fc.assert(property, { seed: 4, numRuns: 10 }).finally(() => clearInterval(ticking));
  });
});

describe('a fresh token in a ping', () => {
  it('is forwarded with later operations, if a rule forwards it', async () => {
    const secured = await startTestGateway(graph.sdl, {
      ...TOKEN_SETTINGS,
      SUBGRAPH_SECRET: 'the secret of the subgraphs',
      HEADER_RULES: await write({ toSubgraphs: [{ forward: 'authorization' }] }),
    });
    const socket = new WebSocket(secured.wsUrl, 'graphql-transport-ws');
    const received: Record<string, unknown>[] = [];
    socket.on('message', (data) => received.push(JSON.parse(String(data))));
    const came = (type: string, count = 1) =>
      vi.waitFor(() => expect(received.filter((one) => one['type'] === type)).toHaveLength(count));
    const tokens = [60, 120].map((expiresIn) => signToken({ sub: 'siti' }, { expiresIn }));
    const [first, second] = (await Promise.all(tokens)).map((token) => `Bearer ${token}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const say = (message: object): void => socket.send(JSON.stringify(message));
    say({ type: 'connection_init', payload: { Authorization: first } });
    await came('connection_ack');
    say({ type: 'subscribe', id: '1', payload: { query: '{ seen }' } });
    await came('complete');
    say({ type: 'ping', payload: { authorization: second } });
    await came('pong');
    say({ type: 'subscribe', id: '2', payload: { query: '{ seen }' } });
    await came('complete', 2);
    const seen = received.flatMap(({ payload }) => {
      const { data } = Object(payload) as { data?: { seen: string } };
      return data ? [read(data.seen)['authorization']] : [];
    });
    expect(seen).toEqual([first, second]);
    socket.terminate();
    await secured.stop();
  });
});

describe('the start of the gateway', () => {
  const starting = async (rules: unknown) =>
    startTestGateway(graph.sdl, { HEADER_RULES: await write(rules) });

  it('fails with every problem of the rules', async () => {
    const rules = { toSubgraphs: [{ forward: 'host' }, { insert: 'gudang-secret', value: 'x' }] };
    await expect(starting(rules)).rejects.toThrow(
      /^HEADER_RULES: .*cannot be used:\n- toSubgraphs\[0\]: .*\n- toSubgraphs\[1\]: /,
    );
  });

  it('fails if a rule names an unknown subgraph, or if the file is missing', async () => {
    const rules = { toSubgraphs: [{ forward: 'x-a', subgraphs: ['third', 'FIRST'] }] };
    await expect(starting(rules)).rejects.toThrow(
      'HEADER_RULES names the subgraph third, which the supergraph does not have; it has first, second',
    );
    const missing = { HEADER_RULES: join(folder, 'missing.json') };
    await expect(startTestGateway(graph.sdl, missing)).rejects.toThrow('cannot be read');
  });
});
