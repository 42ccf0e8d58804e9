import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

/** The tests act as a trusted proxy, and name each client in `X-Forwarded-For`. */
const BEHIND_PROXY = { TRUSTED_PROXIES: 'loopback' };

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await gateway.stop();
});
afterAll(() => toys.stop());

async function start(environment: Record<string, string>): Promise<void> {
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), environment);
}

const of = (address: string) => ({ 'x-forwarded-for': address });

function open(headers: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws', { headers });
  sockets.push(socket);
  return socket;
}

/** Opens a websocket, and resolves once the gateway has acknowledged the connection. */
async function connect(headers: Record<string, string> = {}) {
  const socket = open(headers);
  await once(socket, 'open');
  const heard: { id?: string; type: string; payload?: unknown }[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  const say = (message: object): void => socket.send(JSON.stringify(message));
  say({ type: 'connection_init' });
  await vi.waitFor(() => expect(heard).toContainEqual({ type: 'connection_ack' }));
  const ask = (id: string, query: string): void =>
    say({ id, type: 'subscribe', payload: { query } });
  return { socket, heard, say, ask };
}

/** Returns the HTTP answer to a rejected upgrade. */
async function refusal(headers: Record<string, string> = {}) {
  const [, response] = await once(
    open(headers).on('error', () => {}),
    'unexpected-response',
  );
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, ...JSON.parse(text) };
}

async function openStream(headers: Record<string, string> = {}) {
  const aborting = new AbortController();
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query: 'subscription { itemFeed { n } }' }),
    signal: aborting.signal,
  });
  return { response, leave: () => aborting.abort() };
}

const exceeds = (limit: string, max: number) => ({
  code: 'LIMIT_EXCEEDED',
  limit,
  max,
  actual: max + 1,
});

describe('the maximum size', () => {
  it('applies to a request body', async () => {
    await start({ LIMIT_BODY_KIB: '2' });
    const body = (size: number): object => {
      const empty = JSON.stringify({ query: '{ __typename }', note: '' }).length;
      return { query: '{ __typename }', note: 'x'.repeat(size - empty) };
    };
    expect(await gateway.post(body(2048))).toMatchObject({ status: 200 });
    expect(await gateway.post(body(2049))).toMatchObject({
      status: 413,
      errors: [{ extensions: exceeds('body', 2048) }],
    });
  });

  it('applies to a websocket message', async () => {
    await start({ LIMIT_MESSAGE_KIB: '2' });
    const { socket, heard } = await connect();
    const ping = (size: number): string =>
      JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(size - 37) } }).padEnd(size);
    socket.send(ping(2048));
    await vi.waitFor(() => expect(heard.at(-1)?.type).toBe('pong'));
    const closed = once(socket, 'close');
    socket.send(ping(2049));
    expect((await closed)[0]).toBe(1009);
  });
});

describe('the maximum number of connections', () => {
  it('counts websockets and streams together until they close', async () => {
    await start({ LIMIT_CONNECTIONS: '2' });
    const first = await connect();
    const stream = await openStream();
    expect(stream.response.status).toBe(200);
    expect(await refusal()).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      errors: [{ extensions: exceeds('connections', 2) }],
    });
    const { response } = await openStream();
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: exceeds('connections', 2) }],
    });
    expect(await gateway.post({ query: '{ __typename }' })).toMatchObject({ status: 200 });
    stream.leave();
    first.socket.close();
    await vi.waitFor(async () => {
      const { heard } = await connect();
      expect(heard).toHaveLength(1);
    });
  });

  it('counts each address separately', async () => {
    await start({ LIMIT_CONNECTIONS_PER_ADDRESS: '2', ...BEHIND_PROXY });
    await connect(of('198.51.100.1'));
    const stream = await openStream(of('198.51.100.1'));
    const forged = of('203.0.113.7, 198.51.100.1');
    for (const headers of [of('198.51.100.1'), forged]) {
      expect(await refusal(headers)).toMatchObject({
        status: 429,
        errors: [{ extensions: exceeds('addressConnections', 2) }],
      });
      expect((await openStream(headers)).response.status).toBe(429);
    }
    await connect(of('198.51.100.2'));
    stream.leave();
    await vi.waitFor(() => connect(of('198.51.100.1')));
  });

  it('does not apply to loopback addresses, which clients cannot forge', async () => {
    await start({ LIMIT_CONNECTIONS_PER_ADDRESS: '1' });
    // No proxy is trusted, so `X-Forwarded-For` is ignored.
    await connect(of('198.51.100.1'));
    await connect(of('198.51.100.1'));
  });
});

describe('a websocket', () => {
  it('continues after an operation above the limit is rejected', async () => {
    await start({ LIMIT_OPERATIONS: '2' });
    const { heard, ask, say } = await connect();
    for (const id of ['1', '2', '3']) ask(id, 'subscription { itemFeed { n } }');
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard[1]).toMatchObject({
      id: '3',
      type: 'error',
      payload: [{ extensions: exceeds('operations', 2) }],
    });
    say({ id: '1', type: 'complete' });
    ask('4', '{ __typename }');
    await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ id: '4', type: 'complete' }));
  });

  it('closes with 4408 if it receives no connection_init', async () => {
    await start({ LIMIT_INIT_S: '1' });
    const [silent, { socket }] = await Promise.all([open(), connect()]);
    expect((await once(silent, 'close'))[0]).toBe(4408);
    // An initialized connection stays open.
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  it('rejects a long operation id', async () => {
    await start({});
    const { socket, ask, heard } = await connect();
    ask('x'.repeat(256), '{ __typename }');
    await vi.waitFor(() => expect(heard.at(-1)?.type).toBe('complete'));
    const closed = once(socket, 'close');
    ask('x'.repeat(257), '{ __typename }');
    expect((await closed)[0]).toBe(4400);
  });
});

describe('the rate limit', () => {
  const QUERY = { query: '{ __typename }' };
  const limited = { code: 'RATE_LIMITED', retryable: true, max: 5 };

  it('admits operations over HTTP up to the limit, and rejects the next one with Retry-After', async () => {
    await start({ LIMIT_REQUESTS: '5', ...BEHIND_PROXY });
    const ask = async (address: string) => (await gateway.post(QUERY, of(address))).status;
    const asked = await Promise.all(Array.from({ length: 6 }, () => ask('198.51.100.1')));
    expect(asked.sort()).toEqual([200, 200, 200, 200, 200, 429]);
    expect(await ask('198.51.100.2')).toBe(200);
    const refused = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...of('198.51.100.1') },
      body: JSON.stringify(QUERY),
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: limited }] });
    await vi.waitFor(async () => expect(await ask('198.51.100.1')).toBe(200), { timeout: 5_000 });
  });

  it('counts operations of websockets and streams together', async () => {
    await start({ LIMIT_REQUESTS: '5', ...BEHIND_PROXY });
    const { heard, ask } = await connect(of('198.51.100.1'));
    for (const id of ['1', '2', '3', '4', '5', '6']) ask(id, '{ __typename }');
    await vi.waitFor(() => expect(heard).toContainEqual(expect.objectContaining({ id: '6' })));
    const failed = heard.filter(({ type }) => type === 'error');
    expect(failed).toEqual([
      { id: '6', type: 'error', payload: [expect.objectContaining({ extensions: limited })] },
    ]);
    expect((await openStream(of('198.51.100.1'))).response.status).toBe(429);
  });

  it('lets operations of a websocket above the limit wait until its client may send again', async () => {
    await start({ LIMIT_REQUESTS: '5', ...BEHIND_PROXY });
    const { socket, heard, ask, say } = await connect(of('198.51.100.1'));
    // In the same turn of the event loop as the refusal, so that the client may not yet send again.
    socket.on('message', (data) => {
      if (JSON.parse(String(data)).type !== 'error') return;
      ask('7', '{ __typename }');
      say({ type: 'ping' });
    });
    for (const id of ['1', '2', '3', '4', '5', '6']) ask(id, '{ __typename }');
    await vi.waitFor(
      () => expect(heard.slice(-2)).toMatchObject([{ id: '7', type: 'next' }, { id: '7' }]),
      { timeout: 5_000 },
    );
    const pong = heard.findIndex(({ type }) => type === 'pong');
    expect(pong).toBeGreaterThan(-1);
    expect(pong).toBeLessThan(heard.findIndex(({ id }) => id === '7'));
  });

  it('counts large bodies, also those that are sent in chunks', async () => {
    await start({ LIMIT_REQUESTS: '20', ...BEHIND_PROXY });
    const text = JSON.stringify({ ...QUERY, note: 'x'.repeat(80 * 1024) });
    const bodies = {
      '198.51.100.1': () => text,
      '198.51.100.2': () => new Blob([text]).stream(),
    };
    for (const [address, body] of Object.entries(bodies)) {
      const send = async (): Promise<number> => {
        const { status } = await fetch(`${gateway.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...of(address) },
          body: body(),
          duplex: 'half',
        } as RequestInit);
        return status;
      };
      // Each body counts as 16 operations, and its operation as one more.
      const statuses = await Promise.all([send(), send()]);
      expect(statuses.sort()).toEqual([200, 429]);
    }
  });

  it('accepts a body that counts more than the limit, also in chunks, and then waits', async () => {
    await start({ LIMIT_REQUESTS: '20', ...BEHIND_PROXY });
    const text = JSON.stringify({ ...QUERY, note: 'x'.repeat(1024 * 1024) });
    const bodies = [() => text, () => new Blob([text]).stream()];
    for (const [index, body] of bodies.entries()) {
      const headers = { 'content-type': 'application/json', ...of(`198.51.100.${index}`) };
      const init = { method: 'POST', headers, duplex: 'half' };
      const url = `${gateway.url}/graphql`;
      const large = await fetch(url, { ...init, body: body() } as RequestInit);
      const next = await fetch(url, { ...init, body: JSON.stringify(QUERY) } as RequestInit);
      expect([large.status, next.status]).toEqual([200, 429]);
    }
  });

  it('counts an operation above another limit as a tenth of the limit', async () => {
    await start({ LIMIT_REQUESTS: '20', LIMIT_COST: '10', ...BEHIND_PROXY });
    const ask = async (query: string) => {
      const { status } = await gateway.post({ query }, of('198.51.100.1'));
      return status;
    };
    await Promise.all(Array.from({ length: 15 }, () => ask('{ items(first: 100) { id } }')));
    expect(await ask(QUERY.query)).toBe(429);
  });

  it('does not apply to loopback addresses', async () => {
    await start({ LIMIT_REQUESTS: '1' });
    const asked = await Promise.all(Array.from({ length: 20 }, () => gateway.post(QUERY)));
    expect(asked.every(({ status }) => status === 200)).toBe(true);
  });
});
