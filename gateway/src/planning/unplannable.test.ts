import { beforeEach, describe, expect, it } from 'vitest';
import { PlanningError } from '../errors/planning-error.ts';
import { federate } from '../testing/federate.ts';

/** Interface `Node` of subgraph a, whose types are only in b, where no key of `Node` resolves. */
const unresolvable = () =>
  federate({
    a: {
      sdl: `
        type Query { node: Node other: Int wrap: Wrap }
        type Wrap { node: Node n: Int list: [[Node]] }
        type Mutation { make: Node count: Int }
        type Subscription { made: Node counted: Int }
        interface Node @key(fields: "id") { id: ID! }`,
      resolvers: {
        Query: {
          node: () => ({ __typename: 'X', id: '1' }),
          other: () => 1,
          wrap: () => ({ node: null, n: 1 }),
        },
      },
    },
    b: {
      sdl: `
        type Query { b: Node }
        type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID! field: String }`,
      resolvers: { Query: { b: () => ({ id: '1', field: 'x' }) } },
    },
  });

describe('an operation that no plan answers', () => {
  const { ask, received } = unresolvable();
  beforeEach(() => void received.splice(0));

  it.each([
    ['{ node { field } }', 'Query.node'],
    ['{ other n: node { x: field } }', 'Query.node'],
    ['{ wrap { n node { field } list { field } } }', 'Wrap.node, Wrap.list'],
    ['{ ...F } fragment F on Query { node { field } }', 'Query.node'],
    ['query ($y: Boolean!) { ... @include(if: $y) { node { field } } }', 'Query.node'],
  ])('is refused instead of answered with nulls: %s', async (query, fields) => {
    await expect(ask(query, { y: true })).rejects.toThrow(
      `The gateway cannot plan this operation: no subgraph can resolve ${fields}`,
    );
    expect(received).toEqual([]);
  });

  it.each(['mutation { make { field } }', 'subscription { made { field } }'])(
    'is refused with PLANNING_FAILED: %s',
    async (query) => {
      await expect(ask(query)).rejects.toThrow(PlanningError);
      await expect(ask(query)).rejects.toMatchObject({ extensions: { code: 'PLANNING_FAILED' } });
    },
  );

  it.each([
    ['{ __typename }', { __typename: 'Query' }],
    ['{ node @skip(if: true) { field } }', {}],
    ['{ ... @include(if: false) { node { field } } kind: __typename }', { kind: 'Query' }],
    ['query ($y: Boolean!) { wrap @skip(if: $y) { n node @include(if: $y) { field } } }', {}],
    ['{ b { field } }', { b: { field: 'x' } }],
    ['{ wrap { n } }', { wrap: { n: 1 } }],
  ])('is none that selects nothing that is unresolvable: %s', async (query, data) => {
    expect(await ask(query, { y: true })).toEqual({ data });
  });
});
