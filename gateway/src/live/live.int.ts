import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { collect, handled } from '../testing/collector.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    SUBGRAPH_TIMEOUT_MS: '500',
    LIVE_RECONNECT_LIMIT_S: '3',
  });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  await gateway.closeClients();
  await listening(0);
  toys.rated.failing = false;
  toys.subscribed.length = 0;
});

const CHANGED =
  'subscription ($id: ID!) { itemChanged(id: $id) { delta item { id name rating(scale: 10) } } }';

/** Waits until so many subscriptions reach the subgraph. */
async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.changes.listening()).toBe(count), {
    timeout: 2000,
    interval: 5,
  });
}

const changed = (id: string, delta: number) => ({
  itemChanged: { delta, item: { id, name: `item ${id}`, rating: Number(id) * 10 } },
});

describe('subscriptions over graphql-transport-ws', () => {
  it('adds fields of the other subgraph to each event, in order', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '4' });
    await listening(1);
    for (const delta of [1, 2, 3]) toys.changes.publish({ id: '4', delta });
    for (const delta of [1, 2, 3]) {
      expect(await stream.take()).toEqual({ next: { data: changed('4', delta) } });
    }
    stream.leave();
  });

  it('completes its clients when the subgraph completes', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '4' });
    await listening(1);
    toys.changes.publish({ id: '4', delta: 1 });
    toys.changes.end();
    expect(await stream.take()).toEqual({ next: { data: changed('4', 1) } });
    expect(await stream.take()).toEqual({ complete: true });
  });

  it('shares one upstream and one execution among clients that come before the first event', async () => {
    const before = toys.ratings.requests.length;
    const named = CHANGED.replace('subscription', '# other layout\n  subscription Named');
    const clients = [1, 2, 3, 4].map(() => gateway.client());
    const [first, ...others] = clients.map((client, index) =>
      collect(client, index === 3 ? named : CHANGED, { id: '5' }),
    );
    await Promise.all(clients.map(handled));
    await listening(1);
    toys.changes.publish({ id: '5', delta: 1 });
    for (const stream of [first, ...others]) {
      expect(await stream?.take()).toEqual({ next: { data: changed('5', 1) } });
    }
    expect(toys.ratings.requests.length - before).toBe(1);
    expect(toys.items.sockets()).toBe(1);

    // One that comes later gets a stream of its own: a first event may be the state to begin with.
    const late = collect(gateway.client(), CHANGED, { id: '5' });
    await listening(2);
    expect(await gateway.metric('gateway_live_upstreams')).toBe(2);
    first?.leave();
    await handled(clients[0] as Client);
    toys.changes.publish({ id: '5', delta: 2 });
    for (const stream of [late, ...others]) {
      expect(await stream.take()).toEqual({ next: { data: changed('5', 2) } });
      stream.leave();
    }
    await listening(0);
    expect(await gateway.metric('gateway_live_streams')).toBe(0);
    expect(await gateway.metric('gateway_live_upstreams')).toBe(0);
  });

  it('answers data null and an error when an entity cannot be fetched, and goes on', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '6' });
    await listening(1);
    toys.rated.failing = true;
    toys.changes.publish({ id: '6', delta: 1 });
    expect(await stream.take()).toMatchObject({
      next: {
        data: { itemChanged: { delta: 1, item: { id: '6', rating: null } } },
        errors: [{ path: ['itemChanged', 'item', 'rating'] }],
      },
    });
    toys.rated.failing = false;
    toys.changes.publish({ id: '6', delta: 2 });
    expect(await stream.take()).toEqual({ next: { data: changed('6', 2) } });
    stream.leave();
  });

  it("hands a subgraph's refusal on, with its code", async () => {
    const query = 'subscription { refused(code: "NOT_FOUND") }';
    const stream = collect(gateway.client(), query);
    const outcome = (await stream.take()) as {
      error?: GraphQLFormattedError[];
      next?: FormattedExecutionResult;
    };
    const [error] = outcome.error ?? outcome.next?.errors ?? [];
    expect(error).toMatchObject({
      message: 'not to be had',
      extensions: { code: 'NOT_FOUND', argument: 'code', serviceName: 'items' },
    });
    expect(error?.extensions).not.toHaveProperty('stacktrace');
  });

  const shapes: [string, string, Record<string, unknown>, unknown][] = [
    [
      'an alias',
      'subscription { it: itemChanged(id: "7") { d: delta thing: item { r: rating } } }',
      {},
      { it: { d: 1, thing: { r: 7 } } },
    ],
    [
      'a fragment',
      'subscription { itemChanged(id: "7") { ...F } } fragment F on ItemChange { item { ... on Item { rating } } }',
      {},
      { itemChanged: { item: { rating: 7 } } },
    ],
    [
      'a root fragment',
      'subscription { ...F } fragment F on Subscription { other }',
      {},
      { other: 1 },
    ],
    [
      'a default of the schema',
      'subscription { itemChanged(id: "7") { note } }',
      {},
      { itemChanged: { note: 'none' } },
    ],
    [
      'a default variable',
      'subscription ($note: String = "dflt", $scale: Int = 3) { itemChanged(id: "7", note: $note) { note item { rating(scale: $scale) } } }',
      {},
      { itemChanged: { note: 'dflt', item: { rating: 21 } } },
    ],
    [
      'a variable for both subgraphs',
      'subscription ($id: ID!, $scale: Int, $size: Size) { itemChanged(id: $id, size: $size) { size item { rating(scale: $scale) } } }',
      { id: 7, scale: 2, size: 'LARGE' },
      { itemChanged: { size: 'LARGE', item: { rating: 14 } } },
    ],
    [
      'a nested @include',
      'subscription ($yes: Boolean!, $no: Boolean!) { itemChanged(id: "7") { delta @include(if: $no) item { name @skip(if: $yes) rating @include(if: $yes) } } }',
      { yes: true, no: false },
      { itemChanged: { item: { rating: 7 } } },
    ],
    [
      'a nested @include of nothing',
      'subscription ($no: Boolean!) { itemChanged(id: "7") { delta item @include(if: $no) { rating } } }',
      { no: false },
      { itemChanged: { delta: 1 } },
    ],
    [
      '__typename inside',
      'subscription { itemChanged(id: "7") { __typename item { __typename } } }',
      {},
      { itemChanged: { __typename: 'ItemChange', item: { __typename: 'Item' } } },
    ],
    [
      'a name among others',
      'query Q { hello(name: "x") } subscription S { other }',
      { operationName: 'S' },
      { other: 1 },
    ],
  ];
  it.each(shapes)('runs %s', async (_what, query, { operationName, ...variables }, data) => {
    const client = gateway.client();
    const came = new Promise((resolve, reject) => {
      const leave = client.subscribe(
        { query, variables, ...(operationName ? { operationName: String(operationName) } : {}) },
        {
          next: (result) => {
            resolve(result);
            leave();
          },
          error: reject,
          complete: () => {},
        },
      );
    });
    await listening(1);
    toys.changes.publish({ id: '7', delta: 1 });
    expect(await came).toEqual({ data });
  });

  const refused: [string, string, Record<string, unknown>, Record<string, unknown>][] = [
    ['syntax', 'subscription {', {}, { code: 'GRAPHQL_PARSE_FAILED' }],
    [
      'two root fields',
      'subscription { a: other b: other }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '__typename as root',
      'subscription { __typename }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@include by variable on the root',
      'subscription ($x: Boolean!) { other @include(if: $x) }',
      { x: true },
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@skip by variable on the root',
      'subscription ($x: Boolean!) { other @skip(if: $x) }',
      { x: false },
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      '@defer',
      'subscription { itemChanged(id: "1") { ... @defer { delta } } }',
      {},
      { code: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    [
      'a missing argument',
      'subscription { itemChanged { delta } }',
      {},
      { code: 'BAD_USER_INPUT', argument: 'id' },
    ],
    [
      'a wrong enum',
      'subscription { itemChanged(id: "1", size: HUGE) { delta } }',
      {},
      { code: 'BAD_USER_INPUT', argument: 'size', allowed: 'Size, one of SMALL, LARGE' },
    ],
    ['a missing variable', CHANGED, {}, { code: 'BAD_USER_INPUT', argument: 'id' }],
    [
      'a wrong variable of a query',
      'query ($n: Int) { items(first: $n) { id } }',
      { n: 'x' },
      { code: 'BAD_USER_INPUT', argument: 'first' },
    ],
    [
      'no such operation',
      'query A { best { id } } query B { best { id } }',
      {},
      { code: 'OPERATION_RESOLUTION_FAILURE' },
    ],
  ];
  it.each(refused)(
    'refuses %s, for that operation alone',
    async (_what, query, variables, extensions) => {
      const client = gateway.client();
      const alive = collect(client, CHANGED, { id: '8' });
      await listening(1);
      const { error } = (await collect(client, query, variables).take()) as {
        error: GraphQLFormattedError[];
      };
      expect(error).toHaveLength(1);
      expect(error[0]?.extensions).toMatchObject(extensions);
      toys.changes.publish({ id: '8', delta: 1 });
      expect(await alive.take()).toEqual({ next: { data: changed('8', 1) } });
      alive.leave();
    },
  );

  it('runs queries and mutations too', async () => {
    const client = gateway.client();
    const query = collect(client, '{ best { name rating } }');
    expect(await query.take()).toEqual({ next: { data: { best: { name: 'item 1', rating: 1 } } } });
    expect(await query.take()).toEqual({ complete: true });
    const mutation = collect(client, 'mutation { rename(input: {id: "2", name: "two"}) { name } }');
    expect(await mutation.take()).toEqual({ next: { data: { rename: { name: 'two' } } } });
    const failing = collect(client, '{ fail(code: "NOT_FOUND") }');
    expect(await failing.take()).toMatchObject({
      next: { data: { fail: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] },
    });
  });
});

describe('clients that leave', () => {
  it.each(['close', 'terminate'] as const)('%s: their upstreams close', async (how) => {
    const sockets = await Promise.all([1, 2].map(() => openSocket()));
    for (const [index, socket] of sockets.entries()) {
      for (const id of ['a', 'b']) {
        const payload = { query: CHANGED, variables: { id: `${index}${id}` } };
        socket.send(JSON.stringify({ id, type: 'subscribe', payload }));
      }
    }
    await listening(4);
    sockets[0]?.[how]();
    await listening(2);
    sockets[1]?.[how]();
    await listening(0);
    await vi.waitFor(async () => expect(await gateway.metric('gateway_live_clients')).toBe(0));
    expect(await gateway.metric('gateway_live_streams')).toBe(0);
    expect(await gateway.metric('gateway_live_upstreams')).toBe(0);
  });

  it('close the connection to the subgraph after a while', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '1' });
    await listening(1);
    expect(toys.items.sockets()).toBe(1);
    stream.leave();
    await vi.waitFor(() => expect(toys.items.sockets()).toBe(0), { timeout: 5000 });
  });
});

describe('a subgraph that is lost', () => {
  it('is found again, and clients see no error', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '9' });
    await listening(1);
    toys.changes.publish({ id: '9', delta: 1 });
    expect(await stream.take()).toEqual({ next: { data: changed('9', 1) } });
    await toys.killItems();
    await listening(0);
    const early = collect(gateway.client(), CHANGED, { id: '9' });
    await toys.restartItems();
    await listening(2);
    toys.changes.publish({ id: '9', delta: 2 });
    for (const one of [stream, early]) {
      expect(await one.take()).toEqual({ next: { data: changed('9', 2) } });
      one.leave();
    }
    expect(toys.subscribed.every(({ id }) => id === '9')).toBe(true);
  });

  it.each([1000, 1001, 1011, 4400, 4499, 4500])(
    'is subscribed to again after it closes with %i',
    async (code) => {
      const streams = ['1', '2'].map((id) => collect(gateway.client(), CHANGED, { id }));
      await listening(2);
      toys.subscribed.length = 0;
      toys.items.closeSockets(code);
      await vi.waitFor(() => expect(toys.subscribed).toHaveLength(2), {
        timeout: 4000,
        interval: 5,
      });
      await listening(2);
      toys.changes.publish({ id: '3', delta: 1 });
      for (const stream of streams) {
        expect(await stream.take()).toEqual({ next: { data: changed('3', 1) } });
        stream.leave();
      }
    },
  );

  it('ends its streams with an error when it stays away past the limit', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '9' });
    await listening(1);
    await toys.killItems();
    const { error } = (await stream.take()) as { error: GraphQLFormattedError[] };
    expect(error[0]?.message).toContain('has been away for longer than 3 s');
    expect(error[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await gateway.metric('gateway_live_upstreams')).toBe(0);
    await toys.restartItems();
  });
});

describe('stopping', () => {
  it('says 1001 to clients, closes upstreams and leaves nothing open', async () => {
    const own = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
    const socket = await openSocket(own.wsUrl);
    socket.send(
      JSON.stringify({
        id: 'a',
        type: 'subscribe',
        payload: { query: CHANGED, variables: { id: '1' } },
      }),
    );
    await listening(1);
    const code = new Promise((resolve) => socket.once('close', resolve));
    await own.stop();
    expect(await code).toBe(1001);
    await listening(0);
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow();
  });
});

it('stops at once while it waits for a subgraph', async () => {
  const own = await startTestGateway(composeToys());
  const socket = await openSocket(own.wsUrl);
  socket.send(
    JSON.stringify({ id: 'a', type: 'subscribe', payload: { query: 'subscription { other }' } }),
  );
  await vi.waitFor(async () => expect(await own.metric('gateway_live_upstreams')).toBe(1));
  const before = performance.now();
  await own.stop();
  expect(performance.now() - before).toBeLessThan(1000);
});

async function openSocket(url = gateway.wsUrl): Promise<WebSocket> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  return socket;
}
