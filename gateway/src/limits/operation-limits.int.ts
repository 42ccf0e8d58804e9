import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    LIMIT_NESTING: '10',
    LIMIT_TOKENS: '40',
    LIMIT_DEPTH: '3',
    LIMIT_ALIASES: '2',
    LIMIT_ROOT_FIELDS: '3',
    LIMIT_DIRECTIVES: '1',
    LIMIT_FRAGMENTS: '2',
    LIMIT_OBJECT_FIELDS: '2',
    LIMIT_COST: '11',
    LIMIT_STREAM_COST: '2',
  });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

interface Case {
  readonly limit: string;
  readonly max: number;
  /** Returns an operation whose value for this limit is `figure`. */
  readonly operation: (figure: number) => { query: string; variables?: Record<string, unknown> };
}

const hellos = (count: number, each: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => each(n)).join(' ');

const queries: Case[] = [
  {
    limit: 'tokens',
    max: 40,
    operation: (n) => ({ query: `{ best { ${'id '.repeat(n - 5)} } }` }),
  },
  {
    limit: 'depth',
    max: 3,
    operation: (n) => ({ query: `{ ${'best { '.repeat(n - 1)} id ${'}'.repeat(n)}` }),
  },
  {
    limit: 'aliases',
    max: 2,
    operation: (n) => ({ query: `{ best { ${hellos(n, (i) => `a${i}: id`)} } }` }),
  },
  {
    limit: 'objectFields',
    max: 2,
    operation: (n) => ({ query: `{ ${'best { id } '.repeat(n)} }` }),
  },
  { limit: 'rootFields', max: 3, operation: (n) => ({ query: `{ ${'__typename '.repeat(n)} }` }) },
  {
    limit: 'directives',
    max: 1,
    operation: (n) => ({ query: `{ __typename ${'@include(if: true) '.repeat(n)} }` }),
  },
  {
    limit: 'fragments',
    max: 2,
    operation: (n) => ({ query: `{ ${'...F '.repeat(n)} } fragment F on Query { __typename }` }),
  },
  {
    limit: 'cost',
    max: 11,
    operation: (n) => ({ query: `{ items(first: 10) { id } ${'__typename '.repeat(n - 11)} }` }),
  },
  {
    limit: 'cost',
    max: 11,
    operation: (n) => ({
      query: `query ($first: Int) { items(first: $first) { id } ${'__typename '.repeat(n - 11)} }`,
      variables: { first: 10 },
    }),
  },
];

const refusal = ({ limit, max }: Case) =>
  expect.objectContaining({
    message: expect.stringContaining(`is ${max + 1}, above the limit of ${max}`),
    extensions: { code: 'LIMIT_EXCEEDED', limit, max, actual: max + 1 },
  });

const isRefusal = { extensions: expect.objectContaining({ code: 'LIMIT_EXCEEDED' }) };

describe.each(queries)('the limit of $limit', (one) => {
  it('accepts an operation at the limit over HTTP, and rejects a larger operation with 400', async () => {
    const { errors = [] } = await gateway.post(one.operation(one.max));
    expect(errors).not.toContainEqual(expect.objectContaining(isRefusal));
    expect(await gateway.post(one.operation(one.max + 1))).toEqual({
      status: 400,
      errors: [refusal(one)],
    });
  });

  it('applies to GET', async () => {
    const { query, variables = {} } = one.operation(one.max + 1);
    const asked = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const response = await fetch(`${gateway.url}/graphql?${asked}`, {
      headers: {
        'apollo-require-preflight': 'yes',
        accept: 'application/graphql-response+json',
      },
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/graphql-response+json');
    expect(await response.json()).toEqual({ errors: [refusal(one)] });
  });

  it.each(PROTOCOLS.slice(0, 2))('applies over %s', async (_protocol, open) => {
    const passing = open(gateway.url, one.operation(one.max));
    expect(await passing.take()).not.toMatchObject({ errors: [isRefusal] });
    passing.leave();
    const refused = open(gateway.url, one.operation(one.max + 1));
    expect(await refused.take()).toEqual({ errors: [refusal(one)] });
    refused.leave();
  });
});

describe('live operations', () => {
  const feed = (n: number) => ({
    query: `subscription { itemFeed { ${hellos(n, (i) => `a${i}: n`)} } }`,
  });

  it.each(PROTOCOLS)('have the same limits over %s', async (_protocol, open) => {
    toys.publish('7');
    const passing = open(gateway.url, {
      query: 'subscription { itemFeed(after: "p0") { a: n b: n } }',
    });
    expect(await passing.take()).toMatchObject({ data: { itemFeed: { a: 1, b: 1 } } });
    passing.leave();
    const refused = open(gateway.url, feed(3));
    expect(await refused.take()).toEqual({
      errors: [refusal({ limit: 'aliases', max: 2, operation: feed })],
    });
    refused.leave();
  });
});

describe('the limit of the cost of streams', () => {
  const feed = (cost: number) => ({
    query: `subscription { itemFeed(after: "p0") { n ${'__typename '.repeat((cost - 1) * 10 - 1)} } }`,
  });

  it.each(PROTOCOLS)('applies over %s', async (_protocol, open) => {
    toys.publish('7');
    const passing = open(gateway.url, feed(2));
    expect(await passing.take()).toMatchObject({ data: { itemFeed: { n: 1 } } });
    passing.leave();
    const refused = open(gateway.url, feed(3));
    expect(await refused.take()).toEqual({
      errors: [refusal({ limit: 'cost', max: 2, operation: feed })],
    });
    refused.leave();
  });
});

describe('hostile operations', () => {
  const hostile: [string, string][] = [
    ['a quarter of a megabyte of names', `{ ${'a '.repeat(120_000)} }`],
    ['braces', `{ ${'a { '.repeat(60_000)}`],
    ['brackets', `{ best(a: ${'['.repeat(200_000)}`],
    [
      'fragments that spread themselves twice',
      `{ ...A } ${'fragment A on Query { ...A ...A }'.repeat(3_000)}`,
    ],
  ];
  it.each(hostile)('are rejected quickly: %s', async (_what, query) => {
    const from = performance.now();
    const { status, errors } = await gateway.post({ query });
    expect([status, errors?.[0]?.extensions?.['code']]).toEqual([400, 'LIMIT_EXCEEDED']);
    expect(performance.now() - from).toBeLessThan(1_000);
  });
});

describe('deeply nested values', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const asking = (rest: string): string => `{"query": "{ __typename }", ${rest}}`;
  const post = async (body: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body });
    return { status: response.status, ...((await response.json()) as object) };
  };

  it('are rejected over HTTP in every part of the body', async () => {
    const inVariables = (depth: number) => asking(`"variables": {"x": ${nested(depth)}}`);
    expect(await post(inVariables(9))).toMatchObject({ status: 200 });
    for (const body of [
      inVariables(10),
      inVariables(20_000),
      asking(`"extensions": {"x": ${nested(20_000)}}`),
    ]) {
      expect(await post(body)).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'nesting', max: 10 } }],
      });
    }
  });

  it.each(PROTOCOLS)('are rejected over %s at the same limit', async (_protocol, open) => {
    const asked = (depth: number) => ({
      query: 'subscription { itemFeed(after: "p0") { n } }',
      variables: { x: JSON.parse(nested(depth)) },
    });
    toys.publish('7');
    const passing = open(gateway.url, asked(9));
    expect(await passing.take()).toMatchObject({ data: { itemFeed: { n: 1 } } });
    passing.leave();
    const refused = open(gateway.url, asked(10));
    expect(await refused.take()).toMatchObject({
      errors: [{ extensions: { code: 'LIMIT_EXCEEDED', limit: 'nesting', max: 10 } }],
    });
    refused.leave();
  });

  it.each(['ping', 'connection_init'])(
    'close a websocket with 4400 when a %s message contains them',
    async (type) => {
      const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws');
      await once(socket, 'open');
      socket.send(`{"type": "${type}", "payload": {"x": ${nested(20_000)}}}`);
      expect((await once(socket, 'close'))[0]).toBe(4400);
      expect(await gateway.post({ query: '{ __typename }' })).toMatchObject({ status: 200 });
    },
  );
});

describe('numbers out of range', () => {
  it.each(['1e999', '-1e999', '9'.repeat(400)])('are rejected: %s', async (number) => {
    const query = `{ items(first: ${number}) { id } }`;
    expect(await gateway.post({ query })).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });
});

describe('batched requests', () => {
  it('are rejected', async () => {
    const { status, errors } = await gateway.post([{ query: '{ __typename }' }]);
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toContain('batching');
  });
});
