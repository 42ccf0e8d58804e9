import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from '../../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../../testing/toy-graph.ts';
import { LiveCloseCode } from './close-codes.ts';

const QUERY =
  'subscription ($note: String) { itemChanged(id: "1", note: $note) { delta note item { id } } }';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway | undefined;
const leaving: (() => unknown)[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
});
afterAll(() => toys.stop());
afterEach(async () => {
  for (const leave of leaving.splice(0)) await leave();
  await gateway?.stop();
  await listening(0);
});

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.changes.listening()).toBe(count), { timeout: 3000 });
}

/** Creates a client that reconnects quickly, and records its connections and their close codes. */
function connect(wsUrl: () => string) {
  const sockets: WebSocket[] = [];
  const codes: number[] = [];
  class Watched extends WebSocket {
    constructor(address: string, protocol: string) {
      super(address, protocol);
      sockets.push(this);
      this.once('close', (code) => codes.push(code));
    }
  }
  const client = createClient({
    url: wsUrl,
    webSocketImpl: Watched,
    retryAttempts: 5,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
  });
  return { client, sockets, codes };
}

type Came = { deltas: number[]; ends: unknown[] };

function overGraphqlWs(client: Client, note: string): Came {
  const came: Came = { deltas: [], ends: [] };
  client.subscribe<{ itemChanged: { delta: number } }>(
    { query: QUERY, variables: { note } },
    {
      next: ({ data }) => came.deltas.push(data?.itemChanged.delta ?? -1),
      error: (error) => came.ends.push(error),
      complete: () => came.ends.push('complete'),
    },
  );
  leaving.push(() => client.dispose());
  return came;
}

function overApollo(ws: Client, note: string): Came {
  const came: Came = { deltas: [], ends: [] };
  const client = new ApolloClient({ link: new GraphQLWsLink(ws), cache: new InMemoryCache() });
  const watching = client
    .subscribe<{ itemChanged: { delta: number } }>({ query: gql(QUERY), variables: { note } })
    .subscribe({
      next: ({ data, error }) => came.deltas.push(error ? -1 : (data?.itemChanged.delta ?? -1)),
      error: (error) => came.ends.push(error),
      complete: () => came.ends.push('complete'),
    });
  leaving.push(
    () => watching.unsubscribe(),
    () => client.stop(),
    () => ws.dispose(),
  );
  return came;
}

const start = (environment: Record<string, string> = {}): Promise<TestGateway> =>
  startTestGateway(composeToys(toys.items.url, toys.ratings.url), environment);

/** Publishes until the client has reconnected and received an event. */
async function comesBack(came: Came): Promise<void> {
  await vi.waitFor(
    () => {
      toys.changes.publish({ id: '1', delta: 7 });
      expect(came.deltas.at(-1)).toBe(7);
    },
    { timeout: 10_000 },
  );
  expect(came.ends).toEqual([]);
}

describe.each([
  ["graphql-ws's client", overGraphqlWs],
  ["Apollo's GraphQLWsLink", overApollo],
])('%s', (_client, subscribe) => {
  it(`reconnects after ${LiveCloseCode.goingAway}, the code of a gateway that stops`, async () => {
    const first = await start();
    gateway = await start();
    // The client reconnects to another gateway, as it would behind a load balancer.
    let url = first.wsUrl;
    const { client, codes } = connect(() => url);
    const came = subscribe(client, 'short');
    await listening(1);
    toys.changes.publish({ id: '1', delta: 1 });
    await vi.waitFor(() => expect(came.deltas).toEqual([1]));
    url = gateway.wsUrl;
    await first.stop();
    expect(codes).toEqual([LiveCloseCode.goingAway]);
    await comesBack(came);
  });

  it(`reconnects after ${LiveCloseCode.lagged}, the code of a client that reads too slowly`, async () => {
    const slow = await start({ LIVE_QUEUE_MESSAGES: '50' });
    gateway = slow;
    const { client, sockets, codes } = connect(() => slow.wsUrl);
    const came = subscribe(client, 'x'.repeat(20_000));
    await listening(1);
    sockets[0]?.pause();
    await vi.waitFor(
      async () => {
        for (let turn = 0; turn < 50; turn += 1) toys.changes.publish({ id: '1', delta: turn });
        expect(await slow.metric('gateway_live_lagged_total')).toBe(1);
      },
      { timeout: 20_000, interval: 20 },
    );
    sockets[0]?.resume();
    await vi.waitFor(() => expect(codes[0]).toBe(LiveCloseCode.lagged), { timeout: 5000 });
    await comesBack(came);
    expect(sockets.length).toBeGreaterThan(1);
  });
});
