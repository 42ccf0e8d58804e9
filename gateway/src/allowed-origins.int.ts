import { once } from 'node:events';
import { get, request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from './testing/running-gateway.ts';
import { composeToys, startToyGraph } from './testing/toy-graph.ts';

const SHOP = 'https://shop.example';
const EVIL = 'https://evil.example';
const STUDIO = 'https://studio.apollographql.com';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let production: TestGateway;
const leaving: (() => void)[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  const sdl = composeToys(toys.items.url, toys.ratings.url);
  gateway = await startTestGateway(sdl, { CORS_ORIGINS: `${SHOP}, http://localhost:3000` });
  production = await startTestGateway(sdl, { NODE_ENV: 'production' });
});
afterAll(async () => {
  await production.stop();
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  for (const leave of leaving.splice(0)) leave();
  await vi.waitFor(() => expect(toys.feedListening()).toBe(0));
});

/** Sends the same request as an EventSource on a page in a browser. */
function eventSource(headers: Record<string, string>, query = 'subscription { itemFeed { n } }') {
  let text = '';
  const request = get(`${gateway.url}/graphql?query=${encodeURIComponent(query)}`, {
    headers: { accept: 'text/event-stream', ...headers },
  });
  request.on('error', () => {});
  leaving.push(() => request.destroy());
  const answered = once(request, 'response').then(([response]) => {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    return response;
  });
  return { answered, text: () => text };
}

async function upgrade(url: string, origin: string | undefined): Promise<'open' | number> {
  const socket = new WebSocket(url, 'graphql-transport-ws', origin === undefined ? {} : { origin });
  leaving.push(() => socket.terminate());
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.once('error', () => {});
  });
}

describe('a plain EventSource', () => {
  it('receives events on a page of a listed origin', async () => {
    const { answered, text } = eventSource({ origin: SHOP, 'sec-fetch-site': 'cross-site' });
    const { statusCode, headers } = await answered;
    expect(statusCode).toBe(200);
    expect(headers['access-control-allow-origin']).toBe(SHOP);
    expect(headers['content-type']).toContain('text/event-stream');
    await vi.waitFor(() => expect(toys.feedListening()).toBe(1));
    toys.publish('1');
    await vi.waitFor(() => expect(text()).toContain('event: next\nid: p'));
  });

  it('receives events on a page of the gateway', async () => {
    const { answered } = eventSource({ 'sec-fetch-site': 'same-origin' });
    expect((await answered).statusCode).toBe(200);
  });

  it.each([
    ['from another page', { origin: EVIL }],
    ['from another page that cannot read the answer', { 'sec-fetch-site': 'cross-site' }],
    ['with a null origin', { origin: 'null' }],
  ])('is rejected %s, before its operation runs', async (_what, headers) => {
    const { answered, text } = eventSource(headers);
    const { statusCode, headers: sent } = await answered;
    expect(statusCode).toBe(403);
    expect(sent['access-control-allow-origin']).toBeUndefined();
    await vi.waitFor(() => expect(JSON.parse(text()).errors[0].message).toContain('CORS_ORIGINS'));
    expect(toys.feedListening()).toBe(0);
  });

  it('cannot run a query from another page', async () => {
    const before = toys.items.requests.length;
    const { answered } = eventSource({ origin: EVIL }, '{ items { id } }');
    expect((await answered).statusCode).toBe(403);
    expect(toys.items.requests).toHaveLength(before);
  });
});

describe('a websocket handshake', () => {
  it.each([
    ['a client that is not a browser', undefined, 'open'],
    ['a listed page', SHOP, 'open'],
    ["Apollo's Sandbox", STUDIO, 'open'],
    ['another page', EVIL, 403],
    ['a page with a null origin', 'null', 403],
  ])('from %s with the origin %s results in: %s', async (_what, origin, outcome) => {
    expect(await upgrade(gateway.wsUrl, origin)).toBe(outcome);
  });

  it('succeeds from a page of the gateway', async () => {
    expect(await upgrade(production.wsUrl, production.url)).toBe('open');
  });

  it("fails from Apollo's Sandbox when Sandbox is off", async () => {
    expect(await upgrade(production.wsUrl, STUDIO)).toBe(403);
  });
});

describe('a preflight', () => {
  const ask = (origin: string) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      },
    });

  it('allows a listed page', async () => {
    const { status, headers } = await ask(SHOP);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(headers.get('access-control-allow-headers')).toBe('content-type,authorization');
    expect(headers.get('vary')?.toLowerCase()).toContain('origin');
  });

  it('rejects other pages', async () => {
    expect((await ask(EVIL)).headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('allows a listed page to read answers to queries', async () => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: SHOP },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  expect(response.headers.get('access-control-allow-origin')).toBe(SHOP);
});

describe('a request with the host of a website that resolves its name to the gateway', () => {
  const HOST = { host: 'evil.example:4000', origin: 'http://evil.example:4000' };
  const JSON_BODY = { 'content-type': 'application/json' };
  const query = encodeURIComponent('{ __typename }');
  const send = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = { ...HOST, ...headers };
      const sending = request(`${gateway.url}${path}`, { method, headers: sent }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      sending.once('error', reject).end(method === 'POST' ? '{"query":"{ __typename }"}' : '');
    });

  it.each([
    ['a page', '/', 'GET', {}],
    ['the status page', '/status', 'GET', {}],
    ['metrics', '/metrics', 'GET', {}],
    ['a query', '/graphql', 'POST', JSON_BODY],
    ['a query by GET', `/graphql?query=${query}`, 'GET', { 'apollo-require-preflight': '1' }],
    ['a stream', `/graphql?query=${query}`, 'GET', { accept: 'text/event-stream' }],
    ['a ticket', '/graphql/ticket', 'POST', JSON_BODY],
  ])('is rejected: %s', async (_what, path, method, headers) => {
    expect(await send(path, method, headers)).toBe(421);
  });

  it('is rejected: a websocket', async () => {
    const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws', { headers: HOST });
    socket.once('error', () => {});
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(421);
  });
});

it('exposes the headers that clients need for a retry to listed pages', async () => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: SHOP },
    body: '{}',
  });
  expect(response.headers.get('access-control-expose-headers')).toBe(
    'Retry-After, WWW-Authenticate',
  );
});
