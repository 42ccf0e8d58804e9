import { describe, expect, it } from 'vitest';
import { federate } from '../testing/federate.ts';

/** `second` of b requires `first` of a, which requires `base` of b. */
const chained = (root: 'a' | 'b') => {
  const entity = { __typename: 'T', id: '1', base: 1, first: 2 };
  const query = (name: string) =>
    name === root
      ? `type Query { t: T list: [[T]] holder: Holder any(n: Int): Any }
        interface Holder { t: T } type Box implements Holder { t: T } union Any = T | Box`
      : '';
  const resolvers = { Query: { t: () => entity, list: () => [[entity]] } };
  return federate({
    a: {
      sdl: `${query('a')}
        type T @key(fields: "id") { id: ID! base: Int @external first: Int @requires(fields: "base") own: Int }`,
      resolvers: {
        ...(root === 'a' ? resolvers : {}),
        T: { first: ({ base }: { base: number }) => base + 1, own: () => 5 },
      },
    },
    b: {
      sdl: `${query('b')}
        type T @key(fields: "id") { id: ID! base: Int first: Int @external second: Int @requires(fields: "first") }`,
      resolvers: {
        ...(root === 'b' ? resolvers : {}),
        T: { base: () => 1, second: ({ first }: { first: number }) => first + 1 },
      },
    },
  });
};

describe('a plan that reads external fields', () => {
  const { ask, received } = chained('a');

  it.each([
    '{ t { second } }',
    '{ list { x: second } }',
    '{ ... { t { ...F } } } fragment F on T { second }',
    '{ holder { t { second } } }',
    '{ any { ...F } other: any(n: 2) { ...F ... on T { second } } } fragment F on Any { ... on T { base second first } }',
  ])('is refused instead of executed: %s', async (query) => {
    await expect(ask(query)).rejects.toThrow(
      'The gateway cannot plan this operation: the plan would read T.base from a subgraph that does not resolve it',
    );
    expect(received).toEqual([]);
  });
});

it.each([
  ['a', '{ t { own first } }', { t: { own: 5, first: 2 } }],
  ['b', '{ t { second } }', { t: { second: 3 } }],
  ['b', '{ list { base second } }', { list: [[{ base: 1, second: 3 }]] }],
] as const)('required fields are read from their subgraph: %s %s', async (root, query, data) => {
  expect(await chained(root).ask(query)).toEqual({ data });
});

it('external fields may be read where a field provides them, and as keys', async () => {
  const { ask } = federate({
    a: {
      sdl: `type Query { box: Box any: Any } union Any = T
        type Box { t: T @provides(fields: "name { first }") any: Any @provides(fields: "... on T { base }") }
        type T @key(fields: "id") { id: ID! name: Name @external base: Int @external }
        type Name { first: String @shareable }`,
      resolvers: {
        Query: {
          box: () => {
            const t = { __typename: 'T', id: '1', name: { first: 'x' }, base: 1 };
            return { t, any: t };
          },
        },
      },
    },
    b: {
      sdl: `type T @key(fields: "id") { id: ID! name: Name @shareable base: Int @shareable }
        type Name { first: String @shareable }`,
      resolvers: {},
    },
  });
  const query = '{ box { t { id name { first } } any { ... on T { base } } } }';
  const t = { id: '1', name: { first: 'x' } };
  expect(await ask(query)).toEqual({ data: { box: { t, any: { base: 1 } } } });
});
