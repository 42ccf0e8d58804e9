import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys } from '../testing/toy-graph.ts';

/** A subgraph that does what the test decides with each request. */
async function startDirected() {
  const requests: { readonly query: string; readonly response: ServerResponse }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query } = JSON.parse(String(Buffer.concat(chunks)));
    requests.push({ query, response });
    directed.answer(response);
  });
  const directed = {
    url: '',
    requests,
    answer: GOOD,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  directed.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return directed;
}

type Answer = (response: ServerResponse) => unknown;
const json =
  (value: object): Answer =>
  (response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
const ITEM = { __typename: 'Item', id: '1' };
const GOOD = json({ data: { hello: 'x', touch: ITEM, best: ITEM, __typename: 'Query' } });
const OUTAGE: Answer = (response) => response.writeHead(503).end('no upstream');
const HANG: Answer = () => {};

let items: Awaited<ReturnType<typeof startDirected>>;
let ratings: typeof items;
let gateway: TestGateway;

/** Starts both subgraphs and a gateway for the tests of a group. */
function withGateway(limits: string): void {
  beforeAll(async () => {
    items = await startDirected();
    ratings = await startDirected();
    gateway = await startTestGateway(composeToys(items.url, ratings.url), {
      SUBGRAPH_LIMITS: limits,
    });
  });
  afterAll(async () => {
    await gateway.stop();
    items.stop();
    ratings.stop();
  });
  beforeEach(() => {
    items.answer = GOOD;
    items.requests.length = 0;
  });
}

let count = 0;
/** Sends a query that shares no request. */
const ask = () => {
  count += 1;
  return gateway.post({ query: `query Q${count} { hello(name: "x") }` });
};
const mutate = () => gateway.post({ query: 'mutation { touch(id: "1") { id } }' });
const isOpen = () => gateway.metric('gateway_subgraph_breaker_open', 'subgraph="items"');
const readiness = async () => {
  const { parts } = (await (await fetch(`${gateway.url}/readyz`)).json()) as {
    parts: Record<string, { state: string; reason?: string }>;
  };
  return parts['subgraph items'];
};
const queries = () => items.requests.map(({ query }) => query);
const UNAVAILABLE = {
  message: 'The subgraph items is unavailable; try again',
  extensions: { code: 'UNAVAILABLE', retryable: true, serviceName: 'items' },
};

describe('an open circuit breaker', () => {
  withGateway('*:retries=0,breakerFailures=3,breakerPauseMs=600000');

  it('does not advise to repeat an operation whose mutation was executed', async () => {
    ratings.answer = OUTAGE;
    for (const n of [1, 2, 3]) await gateway.post({ query: `query B${n} { best { id } }` });
    const { data, errors } = await gateway.post({
      query: 'mutation { touch(id: "1") { id rating } }',
    });
    expect(data).toEqual({ touch: { id: '1', rating: null } });
    const advice = /^The subgraph ratings is unavailable; the mutation may have been executed/;
    expect(errors).toMatchObject([{ message: expect.stringMatching(advice) }]);
    expect(errors?.[0]?.extensions).not.toHaveProperty('retryable');
  });

  it('refuses queries and mutations at once', async () => {
    items.answer = OUTAGE;
    for (let n = 0; n < 3; n += 1) await ask();
    items.requests.length = 0;
    items.answer = GOOD;
    expect((await ask()).errors).toMatchObject([UNAVAILABLE]);
    expect((await mutate()).errors).toMatchObject([UNAVAILABLE]);
    expect(items.requests).toEqual([]);
    expect(await isOpen()).toBe(1);
    expect(await gateway.metric('gateway_subgraph_refused_total', 'subgraph="items"')).toBe(2);
    expect(await gateway.metric('gateway_subgraph_breaker_opened_total', '"items"')).toBe(1);
  });

  it('is shown by /readyz, which probes the subgraph all the same', async () => {
    expect(await readiness()).toEqual({
      state: 'degraded',
      reason: 'most requests to the subgraph items failed; its circuit breaker is open',
    });
    expect(queries()).toEqual(['{ __typename }']);
  });
});

describe('a subgraph with limits', () => {
  withGateway(
    'items:retries=0,breakerFailures=3,breakerPauseMs=20,sockets=2,queue=3,timeoutMs=60000',
  );

  /** Opens the breaker. */
  const open = async (): Promise<void> => {
    items.answer = OUTAGE;
    await vi.waitFor(async () => {
      await ask();
      expect(await isOpen()).toBe(1);
    });
    items.requests.length = 0;
  };

  it('gets requests again when a query is answered after the pause', async () => {
    await open();
    items.answer = GOOD;
    await vi.waitFor(async () => expect((await ask()).errors).toBeUndefined());
    expect(queries().filter((query) => query !== '{ __typename }')).toHaveLength(1);
    expect(await isOpen()).toBe(0);
    expect((await mutate()).errors).toBeUndefined();
    expect(await readiness()).toEqual({ state: 'ok' });
  });

  it('gets one query at a time after the pause', async () => {
    await open();
    items.answer = HANG;
    const asked: ReturnType<typeof ask>[] = [];
    await vi.waitFor(() => {
      asked.push(ask());
      expect(items.requests).toHaveLength(1);
    });
    expect((await ask()).errors).toMatchObject([UNAVAILABLE]);
    expect(items.requests).toHaveLength(1);
    items.answer = GOOD;
    for (const { response } of items.requests) GOOD(response);
    await Promise.all(asked);
    expect((await ask()).errors).toBeUndefined();
  });

  it('gets a query of the gateway if only mutations come', async () => {
    await open();
    items.answer = GOOD;
    await vi.waitFor(async () => expect((await mutate()).errors).toBeUndefined());
    expect(queries()).toEqual(['{ __typename }', expect.stringMatching(/^mutation/)]);
  });

  it('has a bounded number of connections and waiting requests while it hangs', async () => {
    items.answer = HANG;
    const hanging = Array.from({ length: 5 }, ask);
    await vi.waitFor(async () => {
      const waiting = 'subgraph="items",state="waiting"';
      expect(await gateway.metric('gateway_subgraph_requests', waiting)).toBe(3);
    });
    await vi.waitFor(() => expect(items.requests).toHaveLength(2));
    expect((await ask()).errors?.[0]?.message).toBe('The subgraph items is overloaded; try again');
    expect(await gateway.metric('gateway_subgraph_refused_total', 'reason="queue"')).toBe(1);
    items.answer = GOOD;
    for (const { response } of [...items.requests]) GOOD(response);
    for (const one of await Promise.all(hanging)) expect(one.errors).toBeUndefined();
  });
});
