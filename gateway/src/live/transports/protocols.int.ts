import { get } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  PROTOCOLS,
  type ProtocolStream,
  type StreamRequest,
} from '../../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../../testing/running-gateway.ts';
import { CURSORS, REFUSED, SHAPES } from '../../testing/stream-requests.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
const opened: ProtocolStream[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(async () => {
  for (const stream of opened.splice(0)) stream.leave();
  await listening(0);
  toys.feed.length = 0;
  toys.subscribed.length = 0;
});

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { timeout: 3000, interval: 5 });
}

const FEED = 'subscription { itemFeed { n place item { id } } }';
const event = (id: string, n: number) => ({
  data: { itemFeed: { n, place: `p${n}`, item: { id } } },
});

function numberOf(came: unknown): number {
  const { data } = came as { data: Record<string, { n: number }> };
  return Object.values(data)[0]?.n ?? -1;
}

describe.each(PROTOCOLS)('the gateway over %s', (_protocol, openOver) => {
  const open = (request: StreamRequest): ProtocolStream => {
    const stream = openOver(gateway.url, request);
    opened.push(stream);
    return stream;
  };

  it.each(SHAPES)('supports %s', async (_what, request, data) => {
    const stream = open(request);
    await listening(1);
    toys.publish('7');
    expect(await stream.take()).toEqual({ data });
  });

  it.each(REFUSED)(
    'rejects %s and keeps other operations running',
    async (_what, request, code) => {
      const alive = open({ query: FEED });
      await listening(1);
      expect(await open(request).take()).toMatchObject({
        errors: expect.arrayContaining([
          expect.objectContaining({ extensions: expect.objectContaining({ code }) }),
        ]),
      });
      toys.publish('1');
      expect(await alive.take()).toEqual(event('1', 1));
    },
  );

  it.each(CURSORS)(
    'resumes from a cursor given %s and joins the shared stream',
    async (_what, request) => {
      const holder = open({ query: FEED });
      await listening(1);
      for (const id of ['1', '2', '3']) toys.publish(id);
      for (const n of [1, 2, 3]) expect(await holder.take()).toEqual(event(String(n), n));
      const back = open(request);
      for (const n of [2, 3]) expect(numberOf(await back.take())).toBe(n);
      for (const n of [4, 5, 6]) {
        toys.publish(String(n));
        expect(numberOf(await back.take())).toBe(n);
        expect(await holder.take()).toEqual(event(String(n), n));
      }
      await vi.waitFor(() => expect(toys.feedListening()).toBeLessThanOrEqual(2));
    },
  );

  it.each([
    ['null', null],
    ['absent', undefined],
  ])('starts with the next event when the cursor is %s', async (_what, a) => {
    toys.publish('1');
    const query = 'subscription ($a: String) { itemFeed(after: $a) { n } }';
    const stream = open({ query, variables: { a } });
    await listening(1);
    toys.publish('2');
    expect(numberOf(await stream.take())).toBe(2);
  });
});

it('shares one upstream among all protocols', async () => {
  const streams = PROTOCOLS.map(([, openOver]) => openOver(gateway.url, { query: FEED }));
  opened.push(...streams);
  await listening(1);
  let waiting = streams.length;
  for (const stream of streams) void stream.take().then(() => (waiting -= 1));
  // Publishes until each client has received an event, because `listening(1)` does not wait for
  // clients that join the open stream.
  await vi.waitFor(() => {
    toys.publish('1');
    expect(waiting).toBe(0);
  });
  expect(await gateway.metric('gateway_live_clients')).toBe(3);
  expect(await gateway.metric('gateway_live_upstreams')).toBe(1);
  expect(toys.subscribed).toHaveLength(1);
});

it('sends the last values first to late subscribers of a stream without cursors', async () => {
  const query = 'subscription { itemState(id: "1") { n } }';
  toys.publish('1');
  for (const [, openOver] of PROTOCOLS) {
    const stream = openOver(gateway.url, { query });
    opened.push(stream);
    expect(await stream.take()).toEqual({ data: { itemState: { n: 1 } } });
  }
  expect(toys.subscribed).toHaveLength(1);
});

describe('an EventSource', () => {
  /** Reads events as a browser's EventSource does, but does not reconnect. */
  function source(lastEventId?: string) {
    let text = '';
    const request = get(`${gateway.url}/graphql?query=${encodeURIComponent(FEED)}`, {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId ? { 'last-event-id': lastEventId } : {}),
      },
    });
    request.on('error', () => {});
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
    });
    opened.push({ leave: () => request.destroy(), take: async () => 'lost' });
    return { events: () => text.split('\n\n').filter((one) => one.startsWith('event')) };
  }

  it('receives the cursor as the event id and resumes from the last id', async () => {
    const first = source();
    await listening(1);
    for (const id of ['1', '2', '3']) toys.publish(id);
    await vi.waitFor(() => expect(first.events()).toHaveLength(3));
    expect(first.events()[1]).toBe(
      'event: next\nid: p2\ndata: {"data":{"itemFeed":{"n":2,"place":"p2","item":{"id":"2"}}}}',
    );
    const again = source('p2');
    await vi.waitFor(() => expect(again.events()).toEqual(first.events().slice(2)));
  });
});

it('runs queries for a client that accepts only event streams', async () => {
  const [, openSse] = PROTOCOLS[1] as (typeof PROTOCOLS)[number];
  const stream = openSse(gateway.url, { query: '{ best { id rating } }' });
  expect(await stream.take()).toEqual({ data: { best: { id: '1', rating: 1 } } });
  expect(await stream.take()).toBe('complete');
});

it('rejects a mutation by GET', async () => {
  const query = encodeURIComponent('mutation { rename(input: {id: "1", name: "x"}) { id } }');
  const response = await fetch(`${gateway.url}/graphql?query=${query}`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(response.status).toBe(405);
});
