import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { collect, feedNumbers } from '../testing/collector.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';
import { startToyRegistry, type ToyRegistry } from '../testing/toy-registry.ts';

const CLIENTS = 8;
const CHANGES = 3;
const BROKEN = 'type Query { a: Int }';
const FEEDS = ['id', 'name'].map((field) => `subscription { itemFeed { n item { ${field} } } }`);
/** Changes the conflation key. All streams must then subscribe again. */
const otherKey = (text: string) => text.replaceAll('by: "item { id }"', 'by: "item { id } n"');

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let registry: ToyRegistry;
let copies: string;
let sdl: string;
const running: TestGateway[] = [];

async function start(): Promise<TestGateway> {
  const gateway = await startTestGateway('', {
    SUPERGRAPH: registry.url,
    SUPERGRAPH_POLL_S: '1',
    SUPERGRAPH_COPIES: copies,
    SHED_DELAY_MS: '0',
  });
  running.push(gateway);
  return gateway;
}

beforeAll(async () => {
  copies = await mkdtemp(join(tmpdir(), 'copies-'));
  toys = await startToyGraph();
  sdl = composeToys(toys.items.url, toys.ratings.url);
  registry = await startToyRegistry(sdl);
});
afterAll(async () => {
  for (const gateway of running) await gateway.stop();
  await toys.stop();
  await registry.stop();
  await rm(copies, { recursive: true });
});

interface Ready {
  readonly ready: boolean;
  readonly parts: Record<string, { state: string; reason?: string }>;
}

async function readiness({ url }: TestGateway): Promise<Ready> {
  return (await (await fetch(`${url}/readyz`)).json()) as Ready;
}

const WITHIN = { timeout: 20_000, interval: 50 };

it('delivers every event once while the supergraph changes and the registry fails', async () => {
  const gateway = await start();
  const streams = Array.from({ length: CLIENTS }, (_, index) =>
    collect(gateway.client(), FEEDS[index % FEEDS.length] ?? ''),
  );
  const publish = (): void => toys.publish(String(toys.feed.length + 1));
  const timer = setInterval(publish, 25);
  for (const { came } of streams) await vi.waitFor(() => expect(came).not.toEqual([]), WITHIN);
  for (let change = 0; change < CHANGES; change += 1) {
    if (change === 1) {
      registry.publish(BROKEN);
      await vi.waitFor(
        async () => expect((await readiness(gateway)).parts['supergraph']?.state).toBe('degraded'),
        WITHIN,
      );
    }
    if (change === 2) registry.answer((_request, response) => response.writeHead(503).end());
    const subscribed = toys.subscribed.length + FEEDS.length;
    registry.publish(change % 2 === 0 ? otherKey(sdl) : sdl);
    if (change === 2) {
      await vi.waitFor(
        async () => expect((await readiness(gateway)).parts['supergraph']?.reason).toMatch('503'),
        WITHIN,
      );
      registry.answer();
    }
    await vi.waitFor(() => expect(toys.subscribed.length).toBe(subscribed), WITHIN);
  }
  clearInterval(timer);
  publish();
  const all = toys.feed.map(({ n }) => n);
  for (const stream of streams) {
    await vi.waitFor(() => expect(feedNumbers(stream).at(-1)).toBe(all.length), WITHIN);
    const received = feedNumbers(stream);
    expect(received).toEqual(all.slice((received[0] ?? 0) - 1));
  }
  expect(await readiness(gateway)).toMatchObject({ parts: { supergraph: { state: 'ok' } } });
}, 60_000);

it('starts without the registry, serves queries, and applies what is published later', async () => {
  await registry.stop();
  const gateway = await start();
  expect(await readiness(gateway)).toMatchObject({
    ready: true,
    parts: { supergraph: { state: 'degraded', reason: expect.stringContaining('ECONNREFUSED') } },
  });
  const query = '{ hello(name: "Siti") }';
  expect(await gateway.post({ query })).toMatchObject({ data: { hello: 'hello Siti' } });
  registry.publish(sdl.replace('hello(name: String!): String @join__field(graph: ITEMS)', ''));
  await registry.restart();
  await vi.waitFor(async () => expect((await gateway.post({ query })).status).toBe(400), WITHIN);
}, 60_000);
