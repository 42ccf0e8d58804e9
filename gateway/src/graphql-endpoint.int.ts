import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from './testing/running-gateway.ts';
import { composeToys, startToyGraph } from './testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    SUBGRAPH_TIMEOUT_MS: '500',
  });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});
afterEach(() => {
  toys.ratings.breakWith = undefined;
  toys.ratings.stalled = false;
});

const RATED = '{ items { id name rating(scale: 10) } }';

describe('the GraphQL endpoint', () => {
  it('joins fields of both subgraphs', async () => {
    expect(await gateway.post({ query: RATED })).toEqual({
      status: 200,
      data: {
        items: [
          { id: '1', name: 'item 1', rating: 10 },
          { id: '2', name: 'item 2', rating: 20 },
        ],
      },
    });
  });

  it('runs a mutation with a variable', async () => {
    const query = 'mutation ($in: RenameInput!) { rename(input: $in) { name rating } }';
    const variables = { in: { id: '3', name: 'three' } };
    expect(await gateway.post({ query, variables })).toMatchObject({
      data: { rename: { name: 'three', rating: 3 } },
    });
  });

  it('forwards the trace to the subgraphs', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await gateway.post({ query: RATED }, { traceparent });
    expect(toys.items.requests.at(-1)?.headers['traceparent']).toBe(traceparent);
    expect(toys.ratings.requests.at(-1)?.headers['traceparent']).toBe(traceparent);
  });

  it("forwards a subgraph's error without its stack", async () => {
    const { errors, data } = await gateway.post({ query: '{ fail(code: "NOT_FOUND") }' });
    expect(data).toEqual({ fail: null });
    expect(errors).toEqual([
      {
        message: 'it failed',
        path: ['fail'],
        extensions: {
          code: 'NOT_FOUND',
          argument: 'input.code',
          allowed: 'nothing',
          errorId: 'e-1',
          serviceName: 'items',
        },
      },
    ]);
  });

  const outages = [
    [
      'does not answer GraphQL',
      { breakWith: { status: 502, text: '<html>' } },
      'sent an answer that is not GraphQL',
    ],
    ['does not answer', { stalled: true }, 'did not answer within 500 ms'],
  ] as const;
  it.each(outages)(
    'answers fields of other subgraphs when a subgraph %s',
    async (_what, outage, reason) => {
      Object.assign(toys.ratings, outage);
      const { data, errors } = await gateway.post({ query: RATED });
      expect(data).toEqual({
        items: [
          { id: '1', name: 'item 1', rating: null },
          { id: '2', name: 'item 2', rating: null },
        ],
      });
      expect(errors).toEqual([
        {
          message: `The subgraph ratings ${reason}; try again`,
          extensions: { code: 'UNAVAILABLE', retryable: true, serviceName: 'ratings' },
        },
      ]);
    },
  );

  it('reports that a mutation may have been executed if the subgraph does not answer', async () => {
    toys.items.stalled = true;
    const query = 'mutation { rename(input: {id: "1", name: "x"}) { id } }';
    const { errors, data } = await gateway.post({ query });
    toys.items.stalled = false;
    expect(data).toEqual({ rename: null });
    expect(errors?.[0]?.message).toContain('the mutation may have been executed');
    expect(errors?.[0]?.extensions).toEqual({ code: 'UNAVAILABLE', serviceName: 'items' });
  });

  const refused: [string, object, object][] = [
    ['a syntax error', { query: '{ items {' }, { code: 'GRAPHQL_PARSE_FAILED' }],
    [
      'too many tokens',
      { query: `{ ${'hello(name: "") '.repeat(3000)} }` },
      { code: 'LIMIT_EXCEEDED' },
    ],
    ['an unknown field', { query: '{ nothing }' }, { code: 'GRAPHQL_VALIDATION_FAILED' }],
    [
      'a document with two operations and no operation name',
      { query: 'query A { items { id } } query B { items { id } }' },
      { code: 'OPERATION_RESOLUTION_FAILURE' },
    ],
    [
      'an unknown operation name',
      { query: 'query A { items { id } }', operationName: 'B' },
      { code: 'OPERATION_RESOLUTION_FAILURE' },
    ],
    [
      'a literal of a wrong type',
      { query: '{ items(first: "x") { id } }' },
      { code: 'BAD_USER_INPUT', argument: 'first' },
    ],
    [
      'a missing argument',
      { query: '{ item { id } }' },
      { code: 'BAD_USER_INPUT', argument: 'id' },
    ],
    [
      'a variable that is out of range',
      { query: 'query ($n: Int) { items(first: $n) { id } }', variables: { n: 2 ** 31 } },
      {
        code: 'BAD_USER_INPUT',
        argument: 'first',
        allowed: 'Int, a whole number from -2,147,483,648 to 2,147,483,647',
      },
    ],
    [
      'an input field of a wrong type',
      {
        query: 'mutation ($r: RenameInput!) { rename(input: $r) { id } }',
        variables: { r: { id: '1', name: 7 } },
      },
      { code: 'BAD_USER_INPUT', argument: 'input.name' },
    ],
    ['a subscription', { query: 'subscription { other }' }, { code: 'BAD_REQUEST' }],
    [
      'a subscription whose validation throws',
      { query: 'subscription ($x: Boolean!) { other @include(if: $x) }', variables: { x: true } },
      { code: 'BAD_REQUEST' },
    ],
  ];
  it.each(refused)('rejects %s', async (_what, body, extensions) => {
    const { status, errors } = await gateway.post(body);
    expect(status).toBe(400);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.extensions).toMatchObject(extensions);
    expect(errors?.[0]?.extensions).not.toHaveProperty('stacktrace');
  });

  it('serves a page to browsers, and rejects their simple CORS requests', async () => {
    const page = await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('<html');
    const simple = await fetch(
      `${gateway.url}/graphql?query=${encodeURIComponent('{ __typename }')}`,
    );
    expect(simple.status).toBe(400);
  });

  it('counts requests by outcome', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toMatch(/gateway_request_seconds_count\{.*operation="query",outcome="ok"/);
    expect(text).toMatch(
      /gateway_subgraph_request_seconds_count\{.*subgraph="ratings",outcome="unavailable"/,
    );
  });
});

describe('a gateway without any running subgraph', () => {
  it('starts, names the subgraphs in /readyz, and answers queries that need no subgraph', async () => {
    const alone = await startTestGateway(composeToys(), { NODE_ENV: 'production' });
    try {
      const ready = await fetch(`${alone.url}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({
        ready: true,
        parts: {
          'subgraph items': { state: 'degraded' },
          'subgraph ratings': { state: 'degraded' },
        },
      });
      expect(await alone.post({ query: '{ __typename }' })).toMatchObject({
        data: { __typename: 'Query' },
      });
      const { errors } = await alone.post({ query: '{ best { id } }' });
      expect(errors?.[0]?.message).toBe('The subgraph ratings is unreachable; try again');
      const introspected = await alone.post({ query: '{ __schema { queryType { name } } }' });
      expect(introspected.errors?.[0]?.extensions).toMatchObject({
        validationErrorCode: 'INTROSPECTION_DISABLED',
      });
    } finally {
      await alone.stop();
    }
  });
});
