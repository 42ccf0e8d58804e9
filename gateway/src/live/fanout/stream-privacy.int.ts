import { IDENTITY_HEADER, type Identity, SECRET_HEADER, UNRESTRICTED } from '@gudang/auth';
import { createHealth, createLogger, createMetrics } from '@gudang/runtime';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createOperationParser } from '../../limits/operation-parser.ts';
import { ReplayRate } from '../../limits/replay-rate.ts';
import { createInvalidation } from '../../request-deduplication/invalidation.ts';
import { limitsOf } from '../../subgraphs/subgraph-limits.ts';
import { startSubgraphs } from '../../subgraphs/subgraphs.ts';
import { buildSupergraph } from '../../supergraph.ts';
import { DEFAULT_LIMITS } from '../../testing/test-admission.ts';
import { openTestAccount } from '../../testing/test-budget.ts';
import { composeToys, startToyGraph } from '../../testing/toy-graph.ts';
import { createLiveGraph } from '../upstream/live-graph.ts';
import { startUpstreams } from '../upstream/upstreams.ts';
import { createLiveMetrics } from './live-metrics.ts';
import type { ClientSink } from './stream-client.ts';
import { type LiveSubscription, StreamRegistry } from './stream-registry.ts';

const SITI: Identity = { subject: 'Siti', scopes: ['b', 'a'] };
const BUDI: Identity = { subject: 'Budi', scopes: ['a', 'b', 'a'] };
const SECRET = 'the secret of the toys';

const PUBLIC = 'subscription { itemFeed { n item { id rating } } }';
const PRIVATE = 'subscription { itemFeed { n seenBy item { id rating } } }';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
const stopping: (() => Promise<void>)[] = [];

beforeAll(async () => {
  toys = await startToyGraph();
});
afterAll(() => toys.stop());
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
  await vi.waitFor(() => expect(toys.items.sockets()).toBe(0));
  toys.items.operations.length = 0;
  toys.ratings.requests.length = 0;
});

/** Creates a stream registry as in production, but the test chooses the clients' identities. */
function serve({ foreign }: { foreign: boolean }) {
  const supergraph = buildSupergraph(composeToys(toys.items.url, toys.ratings.url));
  const addresses = supergraph.subgraphs.map(({ name, url }) => ({
    name,
    url,
    wsUrl: url.replace('http', 'ws'),
    foreign,
    limits: limitsOf(name, new Map(), 5_000),
  }));
  const log = createLogger('gateway', 'silent');
  const metrics = createMetrics('test');
  const upstreams = startUpstreams({ addresses, secret: SECRET, reconnectLimitMs: 10_000, log });
  const common = {
    secret: SECRET,
    maxAnswerBytes: 1_000_000,
    invalidation: createInvalidation(),
    health: createHealth(),
    metrics,
    log,
  };
  const subgraphs = startSubgraphs({ addresses, ...common });
  const live = new StreamRegistry({
    graph: createLiveGraph({
      supergraph,
      sources: subgraphs.sources,
      hideSuggestions: false,
      log,
    }),
    upstreams,
    limits: {
      queue: { messages: 100, bytes: 100_000 },
      catchUps: 10,
      replays: new ReplayRate(1_000),
      retained: 10,
      history: 10_000,
    },
    metrics: createLiveMetrics(metrics, upstreams.count),
    onEvent: () => {},
    log,
  });
  const { parse: read } = createOperationParser(DEFAULT_LIMITS);
  const joined: LiveSubscription[] = [];
  stopping.push(async () => {
    for (const one of joined) one.leave();
    await upstreams.stop();
    await subgraphs.stop();
  });
  const join = (query: string, identity?: Identity): unknown[] => {
    const got: unknown[] = [];
    const sink: ClientSink = {
      ready: () => true,
      write: (payloads) => got.push(...payloads.map(({ bytes }) => JSON.parse(String(bytes)))),
      error: (errors) => void got.push({ errors }),
      complete: () => {},
      lagged: () => {},
    };
    const account = openTestAccount();
    joined.push(live.subscribe({ read: read(query), variables: {}, identity, account }, sink));
    return got;
  };
  return { join, joined };
}

async function listening(count: number): Promise<void> {
  await vi.waitFor(() => expect(toys.feedListening()).toBe(count), { timeout: 3000, interval: 5 });
}

const told = () => toys.items.operations.map(({ extensions }) => extensions);

it('shares public streams among callers with the same scopes, and sends no subject to subgraphs', async () => {
  const { join } = serve({ foreign: false });
  const clients = [join(PUBLIC, SITI), join(PUBLIC, BUDI)];
  await listening(1);
  expect(toys.items.operations).toEqual([
    {
      params: { gudang: { cursors: true, secret: SECRET } },
      extensions: { gudang: { identity: { scopes: ['a', 'b'], authenticated: true } } },
    },
  ]);
  toys.publish('1');
  await vi.waitFor(() => expect(clients.map(({ length }) => length)).toEqual([1, 1]));
  expect(toys.ratings.requests).toHaveLength(1);
  const headers = toys.ratings.requests[0]?.headers ?? {};
  expect(headers[SECRET_HEADER]).toBe(SECRET);
  expect(JSON.parse(Buffer.from(String(headers[IDENTITY_HEADER]), 'base64url').toString())).toEqual(
    { scopes: ['a', 'b'], authenticated: true },
  );
});

it('shares private streams only among callers with the same subject, over one connection', async () => {
  const { join } = serve({ foreign: false });
  for (const identity of [SITI, SITI, BUDI, undefined]) join(PRIVATE, identity);
  await listening(3);
  expect(told()).toEqual([
    { gudang: { identity: { subject: 'Siti', scopes: ['a', 'b'] } } },
    { gudang: { identity: { subject: 'Budi', scopes: ['a', 'b'] } } },
    { gudang: { identity: { scopes: [] } } },
  ]);
  expect(toys.items.sockets()).toBe(1);
});

it('sends no identity when auth is disabled, but sends the secret', async () => {
  const { join } = serve({ foreign: false });
  join(PUBLIC, UNRESTRICTED);
  await listening(1);
  expect(toys.items.operations).toEqual([
    { params: { gudang: { cursors: true, secret: SECRET } }, extensions: undefined },
  ]);
  toys.publish('1');
  await vi.waitFor(() => expect(toys.ratings.requests).toHaveLength(1));
  expect(toys.ratings.requests[0]?.headers).not.toHaveProperty(IDENTITY_HEADER);
  expect(toys.ratings.requests[0]?.headers[SECRET_HEADER]).toBe(SECRET);
});

it('opens one connection per identity to a foreign subgraph, and does not send it the secret', async () => {
  const { join, joined } = serve({ foreign: true });
  for (const identity of [SITI, SITI, BUDI]) join(PRIVATE, identity);
  await listening(2);
  expect(toys.items.operations).toEqual(
    ['Siti', 'Budi'].map((subject) => ({
      params: { gudang: { cursors: true }, identity: { subject, scopes: ['a', 'b'] } },
      extensions: undefined,
    })),
  );
  expect(toys.items.sockets()).toBe(2);
  toys.publish('1');
  await vi.waitFor(() => expect(toys.ratings.requests).toHaveLength(2));
  for (const { headers } of toys.ratings.requests) {
    expect(headers).toHaveProperty(IDENTITY_HEADER);
    expect(headers).not.toHaveProperty(SECRET_HEADER);
  }
  joined[2]?.leave();
  await vi.waitFor(() => expect(toys.items.sockets()).toBe(1));
});
