import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { createClient as createSseClient } from 'graphql-sse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

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
afterEach(() => {
  toys.ratings.breakWith = undefined;
  toys.rated.failing = false;
});

const QUERY = '{ items { id name ... @defer(label: "rated") { rating(scale: 10) } } }';
const NAMED = [
  { id: '1', name: 'item 1' },
  { id: '2', name: 'item 2' },
];
const RATED = [
  { id: '1', name: 'item 1', rating: 10 },
  { id: '2', name: 'item 2', rating: 20 },
];
const ACCEPT = 'multipart/mixed;deferSpec=20220824,application/json;q=0.9';

/** Sends a query and reads its answer part by part. */
async function open(body: object, accept = ACCEPT, init: RequestInit = {}) {
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
    ...init,
  });
  return { response, parts: readParts(response) };
}

/** Reads a multipart answer strictly. */
async function* readParts(response: Response): AsyncGenerator<Record<string, unknown>> {
  let text = '';
  const decoder = new TextDecoder();
  const boundary = '\r\n--graphql';
  const head = '\r\ncontent-type: application/json\r\n\r\n';
  let isFirst = true;
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    for (let at = text.indexOf(boundary); at >= 0; at = text.indexOf(boundary)) {
      const part = text.slice(0, at);
      text = text.slice(at + boundary.length);
      if (isFirst) expect(part).toBe('');
      else {
        expect(part.startsWith(head)).toBe(true);
        yield JSON.parse(part.slice(head.length));
      }
      isFirst = false;
    }
  }
  expect(text).toBe('--\r\n');
}

async function readAll(body: object, accept?: string) {
  const { response, parts } = await open(body, accept);
  const all = [];
  for await (const part of parts) all.push(part);
  return { type: response.headers.get('content-type'), all };
}

describe('Apollo Client 4', () => {
  it('shows the first part before the deferred one has arrived', async () => {
    const client = new ApolloClient({
      link: new HttpLink({ uri: `${gateway.url}/graphql` }),
      cache: new InMemoryCache(),
      incrementalHandler: new Defer20220824Handler(),
    });
    const release = toys.ratings.holdNext();
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      client.watchQuery({ query: gql(QUERY), fetchPolicy: 'network-only' }).subscribe({
        error: reject,
        next: ({ data, dataState }) => {
          if (dataState === 'empty') return;
          seen.push(JSON.parse(JSON.stringify(data)));
          if (dataState === 'streaming') release();
          if (dataState === 'complete') resolve();
        },
      });
    });
    client.stop();
    const typed = (all: readonly object[]) => ({
      items: all.map((one) => ({ __typename: 'Item', ...one })),
    });
    expect(seen).toEqual([typed(NAMED), typed(RATED)]);
  });

  it('receives the errors of a deferred fragment', async () => {
    toys.rated.failing = true;
    const client = new ApolloClient({
      link: new HttpLink({ uri: `${gateway.url}/graphql` }),
      cache: new InMemoryCache(),
      incrementalHandler: new Defer20220824Handler(),
    });
    const { data, error } = await client.query({
      query: gql(QUERY),
      fetchPolicy: 'no-cache',
      errorPolicy: 'all',
    });
    client.stop();
    expect(data).toMatchObject({ items: [{ rating: null }, { rating: null }] });
    expect(String(error)).toContain('no ratings today');
  });
});

describe('an operation with @defer over HTTP', () => {
  it('is answered in parts of the format of August 2022, also the second time', async () => {
    for (let time = 0; time < 2; time += 1) {
      const release = toys.ratings.holdNext();
      const { response, parts } = await open({ query: QUERY });
      expect(response.headers.get('content-type')).toBe(
        'multipart/mixed;boundary="graphql";deferSpec=20220824',
      );
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const first = await parts.next();
      expect(first.value).toEqual({ data: { items: NAMED }, hasNext: true });
      release();
      expect((await parts.next()).value).toEqual({
        incremental: [
          { data: { rating: 10 }, path: ['items', 0], label: 'rated' },
          { data: { rating: 20 }, path: ['items', 1], label: 'rated' },
        ],
        hasNext: false,
      });
      expect((await parts.next()).done).toBe(true);
    }
  });

  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['application/graphql-response+json', 'application/graphql-response+json; charset=utf-8'],
    ['multipart/mixed;deferSpec=20220824;q=0, */*', 'application/json; charset=utf-8'],
    ['multipart/mixed;subscriptionSpec=1.0, application/json', 'application/json; charset=utf-8'],
    ['multipart/mixed;incrementalSpec=v0.2, application/json', 'application/json; charset=utf-8'],
  ])('is answered as a whole if Accept is %s', async (accept, type) => {
    const { response } = await open({ query: QUERY }, accept);
    expect(response.headers.get('content-type')).toBe(type);
    expect(await response.json()).toEqual({ data: { items: RATED } });
  });

  it('is answered in one part if no fragment is deferred, and the client reads nothing else', async () => {
    const query =
      'query ($later: Boolean!) { items { id name ... @defer(if: $later) { rating(scale: 10) } } }';
    const only = 'multipart/mixed;deferSpec=20220824';
    const variables = { later: false };
    const { type, all } = await readAll({ query, variables }, only);
    expect(type).toContain('deferSpec=20220824');
    expect(all).toEqual([{ data: { items: RATED }, hasNext: false }]);
    expect((await open({ query, variables })).response.headers.get('content-type')).toContain(
      'json',
    );
    const deferred = await readAll({ query, variables: { later: true } }, only);
    expect(deferred.all).toHaveLength(2);
    expect((await readAll({ query: '{ hello(name: "a") }' }, only)).all).toEqual([
      { data: { hello: 'hello a' }, hasNext: false },
    ]);
  });

  it('reports a failed subgraph in the part of its fields', async () => {
    toys.ratings.breakWith = { status: 500, text: 'no' };
    const { all } = await readAll({ query: QUERY });
    expect(all[0]).toEqual({ data: { items: NAMED }, hasNext: true });
    expect(all[1]).toMatchObject({
      hasNext: false,
      incremental: [
        { data: { rating: null }, errors: [{ extensions: { serviceName: 'ratings' } }] },
        { data: { rating: null } },
      ],
    });
  });

  it('is one execution for several clients at once', async () => {
    const before = toys.ratings.requests.length;
    const release = toys.ratings.holdNext();
    const clients = await Promise.all([1, 2, 3].map(() => open({ query: QUERY })));
    for (const { parts } of clients) {
      expect((await parts.next()).value).toEqual({ data: { items: NAMED }, hasNext: true });
    }
    release();
    for (const { parts } of clients) expect((await parts.next()).value?.['hasNext']).toBe(false);
    expect(toys.ratings.requests.length - before).toBe(1);
  });

  it('continues for others when a client leaves between two parts', async () => {
    const release = toys.ratings.holdNext();
    const leaving = new AbortController();
    const [left, stays] = await Promise.all([
      open({ query: QUERY }, ACCEPT, { signal: leaving.signal }),
      open({ query: QUERY }),
    ]);
    await left?.parts.next();
    await stays?.parts.next();
    leaving.abort();
    release();
    expect((await stays?.parts.next())?.value).toMatchObject({ hasNext: false });
  });

  it.each([
    [
      'an equal label',
      '{ items { ... @defer(label: "a") { id } ... @defer(label: "a") { name } } }',
      'Two @defer have the label "a"',
    ],
    [
      'a variable as label',
      'query ($l: String) { items { ... @defer(label: $l) { id } } }',
      'must be a string',
    ],
    [
      'the root of a mutation',
      'mutation { ... @defer { count } }',
      'not allowed at the root of a mutation',
    ],
    ['an unknown argument', '{ items { ... @defer(after: 1) { id } } }', 'Unknown argument'],
    ['a field', '{ items @defer { id } }', 'may not be used on FIELD'],
  ])('is rejected with %s', async (_what, query, message) => {
    const { response } = await open({ query });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { message: string }[] };
    expect(errors[0]?.message).toContain(message);
  });

  it('is rejected with null for its condition', async () => {
    const query = 'query ($later: Boolean = true) { items { ... @defer(if: $later) { id } } }';
    const { response } = await open({ query, variables: { later: null } });
    const { errors } = (await response.json()) as { errors: { extensions: object }[] };
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'if' });
  });

  it('runs a mutation once, and its deferred fields after it', async () => {
    const before = toys.mutations.length;
    const query = 'mutation { touch(id: "3") { id ... @defer { rating(scale: 2) } } }';
    const { all } = await readAll({ query });
    expect(all).toEqual([
      { data: { touch: { id: '3' } }, hasNext: true },
      { incremental: [{ data: { rating: 6 }, path: ['touch'] }], hasNext: false },
    ]);
    expect(toys.mutations.length - before).toBe(1);
  });
});

describe('an operation with @defer', () => {
  it('has a message for each part over a websocket', async () => {
    const parts: unknown[] = [];
    for await (const part of gateway.client().iterate({ query: QUERY })) parts.push(part);
    expect(parts).toMatchObject([
      { data: { items: NAMED }, hasNext: true },
      { incremental: [{ data: { rating: 10 } }, { data: { rating: 20 } }], hasNext: false },
    ]);
  });

  it('is answered as a whole over server-sent events', async () => {
    const client = createSseClient({ url: `${gateway.url}/graphql`, retryAttempts: 0 });
    const results: unknown[] = [];
    for await (const result of client.iterate({ query: QUERY })) results.push(result);
    client.dispose();
    expect(results).toEqual([{ data: { items: RATED } }]);
  });

  it('is rejected if it is a subscription', async () => {
    const query = 'subscription { itemChanged(id: "1") { delta ... @defer { note } } }';
    const results: unknown[] = [];
    const ended = gateway.client().iterate({ query });
    await expect(
      (async () => {
        for await (const result of ended) results.push(result);
      })(),
    ).rejects.toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    expect(results).toEqual([]);
  });
});
