import {
  ANONYMOUS_PRINCIPAL,
  type Authentication,
  encodeIdentity,
  IDENTITY_HEADER,
  type Identity,
  SECRET_HEADER,
} from '@gudang/auth';
import {
  badUserInput,
  createHealth,
  createHttpServer,
  createLogger,
  createMetrics,
} from '@gudang/runtime';
import { GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { serveSubgraph } from './serve-subgraph.ts';

const SECRET = 'a secret of some length';
const SITI: Identity = { subject: 'Siti', scopes: ['write'] };

const sdl = `
  extend schema @link(
    url: "https://specs.apollo.dev/federation/v2.9",
    import: ["@key", "@authenticated", "@requiresScopes"]
  )
  type Query {
    who: String
    thing(id: ID!, size: Int = 3): Thing
    things(first: Int): [Thing!]!
    own: String @authenticated
  }
  type Mutation {
    count(by: Int! = 1): Int! @requiresScopes(scopes: [["write"]])
    fail(really: Boolean! = true): Int
  }
  type Thing @key(fields: "id") { id: ID! name: String must: String! part: Part size: Int }
  type Part @key(fields: "id") { id: ID! thing: Thing @authenticated }`;

let counted = 0;
/** Calls of the function that finds parts together. */
let found: string[][] = [];
const thing = (id: string, size?: number) => {
  if (id === 'none') return null;
  if (id === 'bad') throw badUserInput('id', 'an id of a thing');
  if (id === 'broken') throw new Error('password=hush-hush');
  return {
    id,
    size,
    name: async () => `the thing ${id}`,
    must: id === 'half' ? null : 'must',
    part: { id: `part of ${id}` },
  };
};
const resolvers = {
  Query: {
    who: (_: unknown, __: unknown, { identity }: { identity: Identity }) => identity.subject,
    thing: (_: unknown, { id, size }: { id: string; size: number }) => thing(id, size),
    things: async (_: unknown, { first }: { first: number }) =>
      Array.from({ length: first }, (_value, index) => thing(index === 2 ? 'half' : `${index}`)),
    own: () => 'own',
  },
  Mutation: {
    count: (_: unknown, { by }: { by: number }) => {
      counted += by;
      return counted;
    },
    fail: (_: unknown, { really }: { really: boolean }) => {
      counted += 1;
      if (really) throw new Error('after the change');
      return null;
    },
  },
  Thing: { __resolveReference: ({ id }: { id: string }) => thing(id) },
  Part: { __resolveReference: ({ id }: { id: string }) => ({ id, thing: thing('of a part') }) },
};
const entities = {
  Part: (references: readonly { id: string }[]) => {
    const ids = references.map(({ id }) => id);
    found.push(ids);
    if (ids.includes('fatal')) throw new Error('the database is broken');
    return ids.map((id) => (id === 'none' ? undefined : { id, thing: thing('of a part') }));
  },
};

let url = '';
const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
beforeAll(async () => {
  const auth: Authentication = { on: true, authenticate: () => ANONYMOUS_PRINCIPAL };
  await serveSubgraph(
    {
      app,
      auth,
      log: createLogger('test', 'silent'),
      settings: { NODE_ENV: 'production' as const, SUBGRAPH_SECRET: [SECRET] },
      isOutage: () => false,
    },
    { sdl, resolvers, entities, createContext: (identity) => ({ identity }) },
  );
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());
beforeEach(() => {
  counted = 0;
  found = [];
});

interface Sent {
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly identity?: Identity;
}

async function send({ body, headers = {}, identity }: Sent) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      [SECRET_HEADER]: SECRET,
      ...(identity ? { [IDENTITY_HEADER]: encodeIdentity(identity) } : {}),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = (await response.text()).replaceAll(/"errorId":"[^"]*"/g, '"errorId":"…"');
  const sent = [...response.headers].filter(([name]) => !/^(date|content-length)$/.test(name));
  return { status: response.status, headers: sent, text };
}

/** Apollo Server answers a request that has extensions. */
const byApollo = ({ body, ...sent }: Sent) =>
  send({ ...sent, body: { ...(body as object), extensions: {} } });

const query = (text: string, variables?: unknown, more: object = {}) => ({
  query: text,
  ...(variables === undefined ? {} : { variables }),
  ...more,
});
const THING =
  'query ($id: ID!, $with: Boolean! = true) { thing(id: $id) { id name @include(if: $with) must } }';
const PARTS =
  'query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Part { id thing { id } } } }';
const parts = (...ids: unknown[]) => ids.map((id) => ({ __typename: 'Part', id }));
const json = { accept: 'application/json' };
const response = { accept: 'application/graphql-response+json' };

const CASES: readonly [string, readonly Sent[]][] = [
  [
    'one operation with several variables',
    ['1', '2', 'none'].map((id) => ({ body: query(THING, { id }) })),
  ],
  [
    'the error of a resolver',
    ['1', 'bad', 'broken', '1'].map((id) => ({ body: query(THING, { id }) })),
  ],
  ['null for a non-null field', ['1', 'half'].map((id) => ({ body: query(THING, { id }) }))],
  [
    'conditions',
    [true, false, null, 'no', undefined].map((on) => ({
      body: query(THING, { id: '1', with: on }),
    })),
  ],
  [
    'invalid variables',
    [{ id: '1' }, {}, { id: null }, { id: { a: 1 } }, null, undefined].map((variables) => ({
      body: query(THING, variables),
    })),
  ],
  [
    'null in a list',
    [1, 2, 3].map((first) => ({
      body: query('query ($first: Int) { things(first: $first) { id must } }', { first }),
    })),
  ],
  [
    'entities that do not exist',
    [parts('a', 'b'), parts('a', 'none'), parts(), parts('none')].map((r) => ({
      body: query(PARTS, { r }),
      identity: SITI,
    })),
  ],
  [
    'entities that fail',
    [parts('a'), parts('a', 'fatal')].map((r) => ({ body: query(PARTS, { r }) })),
  ],
  [
    'entities of other types and without keys',
    [
      parts('a'),
      [...parts('a'), { __typename: 'Thing', id: '1' }],
      [{ __typename: 'Nothing', id: '1' }],
      [{ id: 'a' }],
      parts(7, undefined),
      [null],
      ['text'],
      [{ __typename: '__proto__', id: '1' }],
    ].map((r) => ({ body: query(PARTS, { r }) })),
  ],
  [
    'callers without permission',
    [SITI, undefined, SITI, { subject: 'Budi', scopes: [] }].map((identity) => ({
      body: query('{ own who thing(id: "1") { part { thing { id } } } }'),
      ...(identity ? { identity } : {}),
    })),
  ],
  [
    'operation names',
    ['A', 'B', 'A', 'C', null, undefined, '', 'A'].map((operationName) => ({
      body: query('query A { who } query B { own }', {}, { operationName }),
      identity: SITI,
    })),
  ],
  [
    'other types of answers',
    [json, response, json, { accept: 'text/html' }, { accept: '*/*' }, response].map((headers) => ({
      body: query('{ who }'),
      headers,
      identity: SITI,
    })),
  ],
  [
    'malformed requests',
    [
      query('{ who }'),
      query('{ who }', 'text'),
      query('{ who }', []),
      query('{ who'),
      query('{ none }'),
      query(''),
      { query: null },
      { query: { kind: 'Document' } },
      query('{ who }', {}, { operationName: 7 }),
      query('{ __schema { types { name } } }'),
    ].map((body) => ({ body })),
  ],
  [
    'aliases, fragments and type names',
    [
      {
        body: query(
          '{ a: thing(id: "1") { ...T __proto__: id } b: thing(id: "2", size: null) { ...T } __typename } fragment T on Thing { __typename id then: name size }',
        ),
      },
      {
        body: query(
          '{ a: thing(id: "1") { ...T __proto__: id } b: thing(id: "2", size: null) { ...T } __typename } fragment T on Thing { __typename id then: name size }',
        ),
      },
    ],
  ],
];

describe('the fast path answers like Apollo Server', () => {
  it.each(CASES)('%s', async (_name, requests) => {
    const expected = [];
    for (const request of requests) expected.push(await byApollo(request));
    for (const _round of [1, 2, 3]) {
      for (const [index, request] of requests.entries()) {
        expect(await send(request)).toEqual(expected[index]);
      }
    }
  });
});

it('executes a known operation without Apollo Server', async () => {
  const text = '{ who own things(first: 1) { id } }';
  const collected = vi.spyOn(GraphQLSchema.prototype, 'getRootType');
  try {
    const calls: number[] = [];
    for (const _round of [1, 2, 3]) {
      await send({ body: query(text), identity: SITI });
      calls.push(collected.mock.calls.length);
    }
    expect(calls[0]).toBeGreaterThan(0);
    expect(calls[2]).toBe(calls[0]);
  } finally {
    collected.mockRestore();
  }
});

it('executes a mutation once, also if its answer has errors', async () => {
  const count = {
    body: query('mutation ($by: Int!) { count(by: $by) }', { by: 1 }),
    identity: SITI,
  };
  for (const expected of [1, 2, 3]) {
    expect((await send(count)).text).toBe(`{"data":{"count":${expected}}}`);
  }
  const both = (really: boolean) => ({
    body: query('mutation ($really: Boolean!) { count fail(really: $really) }', { really }),
    identity: SITI,
  });
  // The first answer has no errors, so that the second one is not Apollo Server's.
  expect((await send(both(false))).text).toBe('{"data":{"count":4,"fail":null}}');
  expect(counted).toBe(5);
  for (const expected of [7, 9]) {
    const { text } = await send(both(true));
    expect(text).toContain(`"data":{"count":${expected - 1},"fail":null}`);
    expect(text).toContain('"path":["fail"]');
    expect(counted).toBe(expected);
  }
});

it('does not let a caller change what another one may do', async () => {
  const count = query('mutation { count }');
  await send({ body: count, identity: SITI });
  await send({ body: count, identity: SITI });
  const { text } = await send({ body: count });
  expect(JSON.parse(text)).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
  expect(counted).toBe(2);
});

it('finds all entities of a type together, and each of them once for each reference', async () => {
  const r = [...parts('a'), ...parts('b'), ...parts('a')];
  const { text } = await send({ body: query(PARTS, { r }), identity: SITI });
  expect(found).toEqual([['a', 'b', 'a']]);
  const { _entities } = JSON.parse(text).data as { _entities: { id: string }[] };
  expect(_entities.map(({ id }) => id)).toEqual(['a', 'b', 'a']);
});
