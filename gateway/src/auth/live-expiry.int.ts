import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveCloseCode } from '../live/transports/websocket/close-codes.ts';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

/** Polls with a time-out that is long enough for a busy machine. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000, interval: 10 });

const SUBGRAPH_SECRET = 'between the gateway and the toys';
const QUERY = 'subscription { itemFeed { n } }';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  const sdl = composeToys(toys.items.url, toys.ratings.url);
  gateway = await startTestGateway(sdl, { ...TOKEN_SETTINGS, SUBGRAPH_SECRET });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
  // Wait for the streams to end, because a client that was reconnecting may have subscribed once
  // more before it was closed.
  await soon(() => gateway.metric('gateway_live_clients')).toBe(0);
  await soon(() => toys.feedListening()).toBe(0);
});

const bearer = async (expiresIn: number, claims = {}): Promise<string> =>
  `Bearer ${await signToken({ sub: 'Siti', scope: 'a b', ...claims }, { expiresIn })}`;

/** Creates a graphql-ws client that gets a new token for each connection, as an app does. */
function connect(lives: readonly number[]) {
  const closed: number[] = [];
  const got: unknown[] = [];
  const sockets: WebSocket[] = [];
  let opened = 0;
  const client: Client = createClient({
    url: gateway.wsUrl,
    webSocketImpl: WebSocket,
    retryWait: () => Promise.resolve(),
    connectionParams: async () => {
      const life = lives[Math.min(opened, lives.length - 1)] ?? 3600;
      opened += 1;
      return { authorization: await bearer(life) };
    },
    on: {
      opened: (socket) => void sockets.push(socket as WebSocket),
      closed: (event) => void closed.push((event as { code: number }).code),
    },
  });
  const ended = new Promise<unknown>((resolve) => {
    client.subscribe(
      { query: QUERY },
      {
        next: ({ data }) => void got.push(data),
        error: resolve,
        complete: () => resolve('complete'),
      },
    );
  });
  cleanups.push(() => client.dispose());
  return {
    closed,
    got,
    ended,
    opened: () => opened,
    ping: (payload: object) => {
      const socket = sockets.at(-1);
      if (!socket) throw new Error('It is not connected yet');
      socket.send(JSON.stringify({ type: 'ping', payload }));
    },
    sockets: () => sockets,
  };
}

describe('a websocket', () => {
  it('closes when its token expires, and the client reconnects with a new one', async () => {
    const client = connect([3, 3600]);
    await soon(() => client.closed).toEqual([LiveCloseCode.tokenExpired]);
    await soon(() => client.opened()).toBe(2);
    await soon(() => toys.feedListening()).toBe(1);
    toys.publish('1');
    await soon(() => client.got).toHaveLength(1);
    expect(client.closed).toEqual([4481]);
  });

  it('stays open when a ping carries a new token of the same subject and scopes', async () => {
    const client = connect([4]);
    await soon(() => toys.feedListening()).toBe(1);
    const pongs: unknown[] = [];
    client.sockets()[0]?.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'pong') pongs.push(message);
    });
    client.ping({ authorization: await bearer(3600), note: 'fresh' });
    await soon(() => pongs).toEqual([{ type: 'pong', payload: { note: 'fresh' } }]);
    // This second client sends no new token. When it is closed, the first client's original token
    // has also expired.
    const silent = connect([4, 3600]);
    await soon(() => silent.closed).toEqual([4481]);
    toys.publish('1');
    await soon(() => client.got).toHaveLength(1);
    expect([client.closed, client.opened()]).toEqual([[], 1]);
  });

  it.each([
    ['of another subject', () => bearer(3600, { sub: 'Budi' })],
    ['of other scopes', () => bearer(3600, { scope: 'a' })],
    ['that is invalid', async () => 'Bearer nonsense'],
  ])('closes after a ping with a token %s, and the client reconnects', async (_what, make) => {
    const client = connect([3600]);
    await soon(() => toys.feedListening()).toBe(1);
    client.ping({ authorization: await make() });
    await soon(() => client.closed).toEqual([4403]);
    await soon(() => client.opened()).toBe(2);
  });

  it('rejects an invalid token, and the client retries with the next one', async () => {
    const client = connect([-10, 3600]);
    await soon(() => client.closed).toEqual([4403]);
    await soon(() => toys.feedListening()).toBe(1);
  });
});

describe.each(PROTOCOLS.filter(([name]) => name !== 'graphql-transport-ws'))(
  'a stream over %s',
  (protocol, open) => {
    it('ends with an error when its token expires', async () => {
      const stream = open(gateway.url, { query: QUERY }, await bearer(3));
      cleanups.push(() => stream.leave());
      const end = await stream.take();
      if (protocol === 'multipart') expect(end).toBe('lost');
      else {
        expect(end).toMatchObject({
          errors: [{ message: /expired/, extensions: { code: 'UNAUTHENTICATED' } }],
        });
        expect(await stream.take()).toBe('complete');
      }
    });
  },
);

it('sends the error of a multipart stream beside a null payload', async () => {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'multipart/mixed;subscriptionSpec=1.0',
      authorization: await bearer(3),
    },
    body: JSON.stringify({ query: QUERY }),
  });
  expect(await response.text()).toContain(
    '{"payload":null,"errors":[{"message":"The token has expired. Subscribe again with a fresh one.","extensions":{"code":"UNAUTHENTICATED"}}]}',
  );
});

describe('a ticket', () => {
  const ticketFor = async (authorization?: string) => {
    const headers = authorization ? { authorization } : {};
    const response = await fetch(`${gateway.url}/graphql/ticket`, { method: 'POST', headers });
    const { ticket, expiresInS } = (await response.json()) as Record<string, string | number>;
    return { status: response.status, ticket: String(ticket), expiresInS };
  };
  const get = (ticket: string, query = QUERY, accept = 'text/event-stream') => {
    const asked = new URLSearchParams({ query, ticket });
    return fetch(`${gateway.url}/graphql?${asked}`, {
      headers: { accept, 'apollo-require-preflight': 'yes' },
    });
  };

  it('opens a stream by GET; the stream ends when the token expires', async () => {
    const { status, ticket, expiresInS } = await ticketFor(await bearer(4));
    expect({ status, expiresInS }).toEqual({ status: 200, expiresInS: 30 });
    const response = await get(ticket);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('The token has expired');
  });

  it('is not issued without a valid token', async () => {
    expect((await ticketFor()).status).toBe(401);
    expect((await ticketFor('Bearer nonsense')).status).toBe(401);
  });

  it('counts as an operation for the rate limit of its caller', async () => {
    const sdl = composeToys(toys.items.url, toys.ratings.url);
    const strict = { ...TOKEN_SETTINGS, SUBGRAPH_SECRET, LIMIT_REQUESTS: '1' };
    const slow = await startTestGateway(sdl, strict);
    cleanups.push(() => slow.stop());
    const headers = { authorization: await bearer(60) };
    const answers = await Promise.all(
      [1, 2, 3].map(() => fetch(`${slow.url}/graphql/ticket`, { method: 'POST', headers })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses.at(-1)).toBe(429);
    expect(statuses[0]).toBe(200);
  });

  it('is not accepted as a token, and a token is not accepted as a ticket', async () => {
    const { ticket } = await ticketFor(await bearer(60));
    for (const wrong of ['nonsense', `${ticket}x`, await bearer(60)]) {
      expect((await get(wrong)).status).toBe(401);
    }
    const asToken = await gateway.post({ query: '{ __typename }' }, { authorization: ticket });
    expect(asToken.status).toBe(401);
  });
});
