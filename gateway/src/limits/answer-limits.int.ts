import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

async function start(environment: Record<string, string>): Promise<void> {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), environment);
}
afterEach(async () => {
  await gateway.stop();
  await toys.stop();
});

const KIB = 1024;
const MIB = 1024 * KIB;
const nameOf = (id: string): string => `{ item(id: "${id}") { name } }`;
const tooLarge = {
  message: "The answer's size in bytes is more than 65,536, above the limit of 65,536",
  extensions: { code: 'LIMIT_EXCEEDED', limit: 'answer', max: 64 * KIB, actual: 64 * KIB },
};
const OVERLOADED = { extensions: { code: 'OVERLOADED', retryable: true } };

describe('an answer above LIMIT_ANSWER_KIB', () => {
  const environment = { LIMIT_ANSWER_KIB: '64' };

  it('is refused over HTTP, before and after the operation is cached', async () => {
    await start(environment);
    toys.rename('1', 'x'.repeat(60 * KIB));
    expect((await gateway.post({ query: nameOf('1') })).status).toBe(200);
    toys.rename('1', 'x'.repeat(66 * KIB));
    const refused = { status: 400, errors: [tooLarge] };
    expect(await gateway.post({ query: nameOf('1') })).toEqual(refused);
    expect(await gateway.post({ query: `${nameOf('1')} ` })).toEqual(refused);
  });

  it('is refused to each request that shares it', async () => {
    await start(environment);
    toys.rename('1', 'x'.repeat(66 * KIB));
    const release = toys.items.holdNext();
    const asked = Array.from({ length: 4 }, (_, n) =>
      gateway.post({ query: nameOf('1') + ' '.repeat(n % 2) }),
    );
    await vi.waitFor(() => expect(toys.items.requests).toHaveLength(1));
    await gateway.post({ query: '{ __typename }' });
    release();
    for (const one of asked) expect(await one).toEqual({ status: 400, errors: [tooLarge] });
  });

  it.each([
    ['aliases', '{ a: item(id: "1") { name } b: item(id: "1") { b: name } }'],
    ['several requests to subgraphs', '{ item(id: "1") { name } best { name } }'],
    [
      'parts that the gateway itself answers',
      `{ ${Array.from({ length: 40 }, (_, n) => `a${n}: __schema { types { name fields { name } } }`).join(' ')} }`,
    ],
  ])('is refused if it adds up from %s', async (_what, query) => {
    await start(environment);
    toys.rename('1', 'x'.repeat(40 * KIB));
    expect(await gateway.post({ query })).toEqual({ status: 400, errors: [tooLarge] });
  });

  it('counts bytes, not characters', async () => {
    await start(environment);
    toys.rename('1', '\u2615'.repeat(22 * KIB));
    expect(await gateway.post({ query: nameOf('1') })).toEqual({ status: 400, errors: [tooLarge] });
  });

  it('is refused after a mutation with advice to check', async () => {
    await start(environment);
    const name = 'x'.repeat(40 * KIB);
    const query = `mutation { rename(input: {id: "1", name: "${name}"}) { a: name b: name } }`;
    const { status, errors } = await gateway.post({ query });
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toContain('the mutation may have been executed');
  });

  it.each(PROTOCOLS.slice(0, 2))('is refused over %s', async (_protocol, open) => {
    await start(environment);
    toys.rename('1', 'x'.repeat(66 * KIB));
    const stream = open(gateway.url, { query: nameOf('1') });
    expect(await stream.take()).toEqual({ errors: [tooLarge] });
    stream.leave();
  });
});

describe('the memory for answers', () => {
  const held = async (): Promise<number> => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    return Number(/gateway_memory_bytes\{.*kind="answers".*\} (\d+)/.exec(text)?.[1]);
  };

  it('is refused with 503 and Retry-After above the limit, and released afterwards', async () => {
    await start({ LIMIT_MEMORY_PER_CONNECTION_MIB: '1' });
    toys.rename('1', 'x'.repeat(300 * KIB));
    const response = await fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: nameOf('1') }),
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ errors: [OVERLOADED] });
    toys.rename('1', 'x'.repeat(200 * KIB));
    expect((await gateway.post({ query: nameOf('1') })).data).toBeDefined();
    await vi.waitFor(async () => expect(await held()).toBe(0));
  });

  it('is not held for a client that has left', async () => {
    await start({});
    const name = 'x'.repeat(150 * KIB);
    const release = toys.items.holdNext();
    const leaving = new AbortController();
    const left = fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `mutation { rename(input: {id: "1", name: "${name}"}) { name } }`,
      }),
      signal: leaving.signal,
    });
    await vi.waitFor(() => expect(toys.items.requests).toHaveLength(1));
    leaving.abort();
    await expect(left).rejects.toThrow();
    // The gateway has noticed that the client has left once this later request has been answered.
    await gateway.post({ query: '{ __typename }' });
    release();
    await vi.waitFor(async () =>
      expect(await gateway.metric('gateway_subgraph_request_seconds_count')).toBe(1),
    );
    await gateway.post({ query: '{ __typename }' });
    expect(await held()).toBe(0);
  });

  it('is taken from the clients that read nothing, so that others are answered', async () => {
    await start({
      LIMIT_ANSWER_KIB: '16384',
      LIMIT_MEMORY_MIB: '64',
      LIMIT_MEMORY_PER_CONNECTION_MIB: '64',
    });
    toys.rename('1', 'x'.repeat(12 * MIB));
    const port = Number(new URL(gateway.url).port);
    const sockets: Socket[] = [];
    let closed = 0;
    const body = JSON.stringify({ query: nameOf('1') });
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    for (let count = 0; count < 8; count += 1) {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        closed += 1;
      });
      await once(socket, 'connect');
      socket.write(head + body);
      // A part of the answer has arrived, but no more is read.
      await once(socket, 'readable');
    }
    expect(await held()).toBeGreaterThan(12 * MIB);
    expect(await held()).toBeLessThanOrEqual(64 * MIB);
    toys.rename('2', 'y'.repeat(100 * KIB));
    expect((await gateway.post({ query: nameOf('2') })).data).toBeDefined();
    for (const socket of sockets) socket.resume().destroy();
    await vi.waitFor(async () => expect(await held()).toBe(0));
    expect(closed).toBe(sockets.length);
  });
});
