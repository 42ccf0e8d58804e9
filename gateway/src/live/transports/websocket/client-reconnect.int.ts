import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { createClient as createSseClient } from 'graphql-sse';
import { CloseCode, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startTestGateway, type TestGateway } from '../../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../../testing/toy-graph.ts';
import { LiveCloseCode } from './close-codes.ts';

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

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { timeout: 3000, interval: 5 });
}

describe("close codes after which graphql-ws's client reconnects", () => {
  it.each(Object.entries(LiveCloseCode))('include %s', async (_name, code) => {
    let connections = 0;
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      connections += 1;
      socket.on('message', () => socket.send('{"type":"connection_ack"}'));
      if (connections === 1) socket.once('message', () => socket.close(code));
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const client = createClient({
      url: `ws://127.0.0.1:${port}`,
      webSocketImpl: WebSocket,
      retryWait: async () => {},
    });
    client.subscribe({ query: '{ x }' }, { next() {}, error() {}, complete() {} });
    await vi.waitFor(() => expect(connections).toBe(2), { timeout: 3000 });
    await client.dispose();
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
    expect(Object.values(CloseCode)).not.toContain(code);
  });
});

it("Apollo's client reads multipart streams", async () => {
  const client = new ApolloClient({
    link: new HttpLink({ uri: `${gateway.url}/graphql` }),
    cache: new InMemoryCache(),
  });
  const got: unknown[] = [];
  const watching = client
    .subscribe({
      query: gql`
        subscription {
          itemFeed {
            n
            item {
              id
              rating
            }
          }
        }
      `,
    })
    .subscribe(({ data, error }) => got.push(error ?? data));
  await listening(1);
  for (const id of ['1', '2']) toys.publish(id);
  await vi.waitFor(() => expect(got).toHaveLength(2), { timeout: 3000 });
  expect(got).toMatchObject([
    { itemFeed: { item: { id: '1', rating: 1 } } },
    { itemFeed: { item: { id: '2', rating: 2 } } },
  ]);
  watching.unsubscribe();
  client.stop();
  await listening(0);
});

it("graphql-sse's client reconnects after the gateway has stopped", async () => {
  const own = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
  let retries = 0;
  const client = createSseClient({
    url: `${own.url}/graphql`,
    retryAttempts: 1,
    retry: async () => {
      retries += 1;
    },
  });
  const ended = new Promise((resolve) => {
    client.subscribe(
      { query: 'subscription { itemFeed { n } }' },
      { next() {}, error: resolve, complete: () => resolve('complete') },
    );
  });
  await listening(1);
  await own.stop();
  expect(await ended).not.toBe('complete');
  expect(retries).toBe(1);
  await listening(0);
});

it('a client that pauses receives the newest event of each item when it reads again', async () => {
  const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  let received = 0;
  let conflated = 0;
  const newest = new Map<string, number>();
  socket.on('message', (data) => {
    const { payload } = JSON.parse(String(data));
    const { n, item } = payload.data.itemFeed;
    received += 1;
    conflated += payload.extensions?.live?.conflated ?? 0;
    expect(n).toBeGreaterThan(newest.get(item.id) ?? 0);
    newest.set(item.id, n);
  });
  const query = 'subscription ($tag: String) { itemFeed(tag: $tag) { n tag item { id } } }';
  const variables = { tag: 'x'.repeat(20_000) };
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
  await listening(1);
  socket.pause();
  const before = toys.feed.length;
  const earlier = (await gateway.metric('gateway_live_events_total')) || 0;
  // Publishes until the kernel's socket buffers are full and the gateway queues one event for each
  // of the 5 items.
  let published = 0;
  while (!((await gateway.metric('gateway_live_queued')) >= 5)) {
    for (let turn = 0; turn < 100; turn += 1) toys.publish(String(turn % 5));
    published += 100;
    await vi.waitFor(async () =>
      expect(await gateway.metric('gateway_live_events_total')).toBe(earlier + published),
    );
  }
  for (let turn = 0; turn < 50; turn += 1) toys.publish(String(turn % 5));
  published += 50;
  socket.resume();
  await vi.waitFor(() => expect(received + conflated).toBe(published), { timeout: 10_000 });
  expect(conflated).toBeGreaterThan(0);
  const last = before + published;
  expect([...newest.values()].sort((a, b) => a - b)).toEqual([4, 3, 2, 1, 0].map((n) => last - n));
  socket.terminate();
  await listening(0);
});
