import type { GraphQLFormattedError } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { collect, feedNumbers } from './testing/collector.ts';
import { startTestGateway, type TestGateway } from './testing/running-gateway.ts';
import { composeToys, startToyGraph } from './testing/toy-graph.ts';

/**
 * Changes the conflation key. The upstream operation then differs, but clients receive the same
 * stream.
 */
const otherKey = (sdl: string) => sdl.replaceAll('by: "item { id }"', 'by: "item { id } n"');
const withoutTag = (sdl: string) => sdl.replace('n: Int! tag: String', 'n: Int!');
const withoutHello = (sdl: string) => sdl.replace('hello(name: String!): String', '');
const withoutCursor = (sdl: string) => sdl.replace('after: String @eventCursor', 'after: String');

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

const compose = (edit?: (sdl: string) => string): string =>
  composeToys(toys.items.url, toys.ratings.url, edit);

beforeAll(async () => {
  toys = await startToyGraph();
  inUse = compose();
  // Clients, subgraphs and gateway share one process, whose event loop lag could trigger the
  // overload protection, so it is off.
  gateway = await startTestGateway(inUse, { SHED_DELAY_MS: '0' });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
const timers: NodeJS.Timeout[] = [];
const repeat = (what: () => void, everyMs: number) => timers.push(setInterval(what, everyMs));
const stopRepeating = (): void => {
  for (const timer of timers.splice(0)) clearInterval(timer);
};
afterEach(async () => {
  stopRepeating();
  await gateway.closeClients();
  await change();
});

const FEED = 'subscription ($after: String) { itemFeed(after: $after) { n item { id rating } } }';

/** This subscription needs no second subgraph, so that hundreds of events at a time are cheap. */
const BARE = FEED.replace(' rating', '');

async function changes(): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(/supergraph_changes_total\{.*outcome="used".*\} (\d+)/.exec(text)?.[1] ?? 0);
}

let inUse = '';

/** Changes the supergraph. Resolves once the changed supergraph is in use. */
async function change(edit?: (sdl: string) => string): Promise<void> {
  const next = compose(edit);
  if (next === inUse) return;
  inUse = next;
  const before = await changes();
  await gateway.change(next);
  await vi.waitFor(async () => expect(await changes()).toBe(before + 1), { timeout: 10_000 });
}

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), {
    timeout: 10_000,
    interval: 5,
  });
}

const upTo = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a changed supergraph', () => {
  it('is used for queries', async () => {
    const query = '{ hello(name: "Siti") }';
    expect(await gateway.post({ query })).toMatchObject({ data: { hello: 'hello Siti' } });
    await change(withoutHello);
    expect(await gateway.post({ query })).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
  });

  it('does not affect streams whose plan is unchanged', async () => {
    const stream = collect(gateway.client(), FEED);
    await listening(1);
    toys.publish('1');
    await stream.take();
    const subscribed = toys.subscribed.length;
    await change(withoutHello);
    toys.publish('2');
    expect(await stream.take()).toMatchObject({
      next: { data: { itemFeed: { item: { id: '2' } } } },
    });
    expect(toys.subscribed).toHaveLength(subscribed);
  });

  it('replans running streams and resumes them from their last cursors', async () => {
    const streams = [1, 2, 3].map(() => collect(gateway.client(), BARE));
    await listening(1);
    await vi.waitFor(async () => expect(await gateway.metric('gateway_live_clients')).toBe(3));
    const first = toys.feed.length + 1;
    repeat(() => toys.publish('1'), 5);
    const subscribed = toys.subscribed.length;
    await change(otherKey);
    await vi.waitFor(() => expect(toys.subscribed.length).toBe(subscribed + 1), {
      timeout: 10_000,
    });
    stopRepeating();
    expect(toys.subscribed.at(-1)).toHaveProperty('after');
    toys.publish('2');
    for (const stream of streams) {
      await vi.waitFor(() => expect(feedNumbers(stream).at(-1)).toBe(toys.feed.length), {
        timeout: 10_000,
      });
      expect(feedNumbers(stream)).toEqual(upTo(first, toys.feed.length));
    }
    await listening(1);
    const joined = collect(gateway.client(), BARE.replace('subscription', 'subscription Later'));
    await vi.waitFor(async () => expect(await gateway.metric('gateway_live_clients')).toBe(4));
    expect(await gateway.metric('gateway_live_streams')).toBe(1);
    joined.leave();
  });

  it('ends only operations that are no longer valid', async () => {
    const client = gateway.client();
    const gone = collect(client, 'subscription { itemFeed { n tag } }');
    const alive = collect(client, FEED);
    await listening(2);
    await change(withoutTag);
    const { error } = (await gone.take()) as { error: GraphQLFormattedError[] };
    expect(error[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
    await listening(1);
    toys.publish('1');
    expect(await alive.take()).toMatchObject({
      next: { data: { itemFeed: { item: { id: '1' } } } },
    });
  });

  it('does not interrupt streams that lose or regain their cursor', async () => {
    const stream = collect(gateway.client(), FEED);
    await listening(1);
    const first = toys.feed.length + 1;
    toys.publish('1');
    await vi.waitFor(() => expect(stream.came).toHaveLength(1));
    await change(withoutCursor);
    await listening(1);
    toys.publish('2');
    await vi.waitFor(() => expect(stream.came).toHaveLength(2));
    await change();
    await listening(1);
    toys.publish('3');
    await vi.waitFor(() => expect(stream.came.length).toBeGreaterThan(2));
    expect(feedNumbers(stream)).toEqual([first, first + 1, first + 2]);
  });

  it('uses the new address of a subgraph', async () => {
    const elsewhere = await startToyGraph();
    const stream = collect(gateway.client(), FEED);
    await listening(1);
    inUse = composeToys(elsewhere.items.url, toys.ratings.url);
    await gateway.change(inUse);
    await vi.waitFor(() => expect(elsewhere.feedListening()).toBe(1), { timeout: 5000 });
    await listening(0);
    await vi.waitFor(() => expect(toys.items.sockets()).toBe(0));
    elsewhere.publish('9');
    expect(await stream.take()).toMatchObject({ next: { data: { itemFeed: { n: 1 } } } });
    await gateway.post({ query: '{ items { id } }' });
    expect(elsewhere.items.requests.at(-1)?.query).toContain('items');
    await change();
    await elsewhere.stop();
  });

  it('neither loses nor repeats events for clients that catch up during the change', async () => {
    const holder = collect(gateway.client(), BARE);
    // A stream of the previous test may still be open, so events are published until the new stream
    // receives one.
    await vi.waitFor(() => {
      toys.publish('first');
      expect(holder.came).not.toHaveLength(0);
    });
    // Each event has its own key, because events of one key may be conflated.
    const first = toys.feed.length;
    const publish = () => toys.publish(`e${toys.feed.length}`);
    for (let turn = 0; turn < 300; turn += 1) publish();
    // The test publishes no faster than events are read, and limits the number of clients. Without
    // these limits, the work would grow indefinitely on a slow machine, where a change takes
    // longer.
    const behind = () => toys.feed.length - (feedNumbers({ came: holder.came.slice(-1) })[0] ?? 0);
    repeat(() => behind() < 50 && publish(), 2);
    const clients: { stream: ReturnType<typeof collect>; after: number }[] = [];
    let most = 0;
    const join = (): void => {
      if (clients.length >= most || clients.at(-1)?.stream.came.length === 0) return;
      const after = first + Math.floor(Math.random() * (toys.feed.length - first));
      const stream = collect(gateway.client(), BARE, { after: `p${after}` });
      clients.push({ stream, after });
    };
    repeat(join, 25);
    // The test makes more changes if clients connect slowly, so that enough clients catch up during
    // a change.
    for (let turn = 0; turn < 3 || clients.length <= 20; turn += 1) {
      most += 50;
      await change(turn % 2 === 0 ? otherKey : undefined);
    }
    stopRepeating();
    expect(clients.length).toBeGreaterThan(20);
    toys.publish('last');
    const last = toys.feed.length;
    for (const { stream, after } of clients) {
      await vi.waitFor(() => expect(feedNumbers(stream).at(-1)).toBe(last), { timeout: 10_000 });
      expect(feedNumbers(stream)).toEqual(upTo(after + 1, last));
    }
    holder.leave();
    await vi.waitFor(() => expect(toys.feedListening()).toBe(1), { timeout: 5000 });
  });
});
