import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { collect, feedNumbers } from '../../testing/collector.ts';
import { startTestGateway, type TestGateway } from '../../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';

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
afterEach(() => gateway.closeClients());

const FEED = 'subscription ($after: String) { itemFeed(after: $after) { n item { id } } }';

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { timeout: 5000, interval: 5 });
}

describe('after a subgraph is killed and restarted', () => {
  it('the gateway resumes its streams from the last cursor without losing or repeating an event', async () => {
    const streams = [1, 2, 3].map(() => collect(gateway.client(), FEED));
    await listening(1);
    const first = toys.feed.length + 1;
    toys.publish('1');
    await vi.waitFor(() => {
      for (const stream of streams) expect(stream.came.length).toBeGreaterThan(0);
    });
    await toys.killItems();
    await listening(0);
    for (const id of ['2', '3', '2']) toys.publish(id);
    await toys.restartItems();
    await listening(1);
    toys.publish('4');
    await vi.waitFor(() => {
      for (const stream of streams) expect(feedNumbers(stream)).toHaveLength(5);
    });
    for (const stream of streams) {
      expect(feedNumbers(stream)).toEqual([0, 1, 2, 3, 4].map((n) => first + n));
      stream.leave();
    }
  });

  it('the gateway does not repeat a state that clients already have', async () => {
    toys.publish('state');
    const stream = collect(
      gateway.client(),
      'subscription { itemState(id: "state") { n item { id } } }',
    );
    await vi.waitFor(() => expect(stream.came).toHaveLength(1));
    toys.subscribed.length = 0;
    await toys.killItems();
    await toys.restartItems();
    await vi.waitFor(() => expect(toys.subscribed).toHaveLength(1), { timeout: 5000 });
    toys.publish('state');
    await vi.waitFor(() => expect(stream.came.length).toBeGreaterThan(1));
    expect(stream.came).toHaveLength(2);
    stream.leave();
  });
});

describe('clients that connect and disconnect', () => {
  it('leave no stream or connection open, with or without a close frame', async () => {
    const cycle = async (turn: number): Promise<void> => {
      const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
      await new Promise((resolve) => socket.once('open', resolve));
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.send('{"type":"connection_init"}');
      const variables = turn % 3 === 0 ? { after: `p${turn % 2}` } : {};
      const payload = { query: FEED, variables };
      for (const id of ['a', 'b']) socket.send(JSON.stringify({ id, type: 'subscribe', payload }));
      if (turn % 5 !== 0) await new Promise((resolve) => socket.once('message', resolve));
      if (turn % 4 === 0) socket.send('{"id":"a","type":"complete"}');
      if (turn % 2 === 0) socket.terminate();
      else socket.close();
      await gone;
    };
    for (let turn = 0; turn < 300; turn += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => cycle(turn + index)));
    }
    await listening(0);
    await vi.waitFor(async () => {
      for (const name of ['clients', 'streams', 'upstreams', 'queued']) {
        expect([name, await gateway.metric(`gateway_live_${name}`)]).toEqual([name, 0]);
      }
    });
  });
});
