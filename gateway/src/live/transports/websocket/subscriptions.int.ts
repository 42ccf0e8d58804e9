import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { collect, handled } from '../../../testing/collector.ts';
import { CHANGED, changed, changesReach } from '../../../testing/item-changes.ts';
import { startTestGateway, type TestGateway } from '../../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../../testing/toy-graph.ts';

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

/** Waits until the subgraph has this number of subscriptions. */
const listening = (count: number): Promise<void> => changesReach(toys, count);

describe('a subscription over graphql-transport-ws', () => {
  it('adds fields of the other subgraph to each event, in order', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '4' });
    await listening(1);
    for (const delta of [1, 2, 3]) toys.changes.publish({ id: '4', delta });
    for (const delta of [1, 2, 3]) {
      expect(await stream.take()).toEqual({ next: { data: changed('4', delta) } });
    }
    stream.leave();
  });

  it('completes for its client when the subgraph completes it', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '4' });
    await listening(1);
    toys.changes.publish({ id: '4', delta: 1 });
    toys.changes.end();
    expect(await stream.take()).toEqual({ next: { data: changed('4', 1) } });
    expect(await stream.take()).toEqual({ complete: true });
  });

  it('shares one upstream and one execution among clients that join before the first event', async () => {
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

    // A later client gets its own stream, because the first event may have been the initial state.
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

  it('sends null and an error if an entity cannot be fetched, and continues', async () => {
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

  it('has the names that the client has chosen, even if plans use them', async () => {
    const query = `subscription ($representations: ID!) {
      id: itemChanged(id: $representations) { __typename: delta item { id: name rating } }
    }`;
    const stream = collect(gateway.client(), query, { representations: '7' });
    await listening(1);
    toys.changes.publish({ id: '7', delta: 1 });
    const item = { id: 'item 7', rating: 7 };
    expect(await stream.take()).toEqual({ next: { data: { id: { __typename: 1, item } } } });
    toys.rated.failing = true;
    toys.changes.publish({ id: '7', delta: 2 });
    expect(await stream.take()).toMatchObject({
      next: {
        data: { id: { __typename: 2, item: { ...item, rating: null } } },
        errors: [{ path: ['id', 'item', 'rating'] }],
      },
    });
    stream.leave();
    const refused = collect(gateway.client(), 'subscription { id: refused(code: "X") }');
    expect(await refused.take()).toMatchObject({ next: { errors: [{ path: ['id'] }] } });
  });

  it("forwards a subgraph's error with its code", async () => {
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
});

describe('after a client has left', () => {
  it.each(['close', 'terminate'] as const)('its upstreams are closed (%s)', async (how) => {
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

  it('the unused connection to the subgraph is closed after 2 s', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '1' });
    await listening(1);
    expect(toys.items.sockets()).toBe(1);
    stream.leave();
    await vi.waitFor(() => expect(toys.items.sockets()).toBe(0), { timeout: 5000 });
  });
});

describe('a lost connection to a subgraph', () => {
  it('is restored without an error for clients', async () => {
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
    'is restored after the subgraph closes it with %i',
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

  it('ends its streams with an error if the subgraph is unavailable for longer than the limit', async () => {
    const stream = collect(gateway.client(), CHANGED, { id: '9' });
    await listening(1);
    await toys.killItems();
    const { error } = (await stream.take()) as { error: GraphQLFormattedError[] };
    expect(error[0]?.message).toContain('has been unavailable for longer than 3 s');
    expect(error[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(await gateway.metric('gateway_live_upstreams')).toBe(0);
    await toys.restartItems();
  });
});

describe('a gateway that stops', () => {
  it('closes clients with 1001, closes upstreams and leaves nothing open', async () => {
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

it('a gateway stops at once even if a stream waits for its subgraph', async () => {
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
