import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import { OperationTypeNode, parse } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import { federate } from '../testing/federate.ts';
import { orderContexts } from './order-contexts.ts';

const entity = (fields: Record<string, unknown> = {}) => ({
  __resolveReference: (reference: object) => ({ ...reference }),
  ...fields,
});

/** The rate of an owner belongs to another subgraph than the owner's items, so the planner requests both at once. */
const graph = federate({
  items: {
    sdl: `type User @key(fields: "id") @context(name: "owner") { id: ID! rate: Int @external items: [Item!] }
      type Shop @key(fields: "id") @context(name: "owner") { id: ID! tax: Int @external items: [Item!] }
      type Item @key(fields: "id") {
        id: ID!
        part: Item
        price(by: Int @fromContext(field: "$owner ... on User { rate } ... on Shop { tax }")): String
      }`,
    resolvers: {
      User: entity({ items: ({ id }: { id: string }) => [{ id: `${id}a` }, { id: `${id}b` }] }),
      Shop: entity({ items: ({ id }: { id: string }) => [{ id: `${id}a` }] }),
      Item: entity({
        part: ({ id }: { id: string }) => ({ id: `${id}p` }),
        price: ({ id }: { id: string }, { by }: { by?: number }) => `${id} by ${by}`,
      }),
    },
  },
  rates: {
    sdl: `type User @key(fields: "id") { id: ID! rate: Int }`,
    resolvers: { User: entity({ rate: ({ id }: { id: string }) => Number(id) }) },
  },
  taxes: {
    sdl: `type Shop @key(fields: "id") { id: ID! tax: Int }`,
    resolvers: { Shop: entity({ tax: ({ id }: { id: string }) => Number(id) * 10 }) },
  },
  owners: {
    sdl: `union Owner = User | Shop
      type User @key(fields: "id", resolvable: false) { id: ID! }
      type Shop @key(fields: "id", resolvable: false) { id: ID! }
      type Query { users: [User!]! owners: [[Owner]] }
      type Mutation { add: User }
      type Subscription { added: User }`,
    resolvers: {
      Query: {
        users: () => [{ id: '1' }, { id: '2' }, { id: '1' }],
        owners: () => [[{ __typename: 'User', id: '1' }, null, { __typename: 'Shop', id: '3' }]],
      },
      Mutation: { add: () => ({ id: '4' }) },
    },
  },
});

beforeEach(() => {
  graph.received.length = 0;
});

describe('an argument from a context', () => {
  it('has a value that another subgraph gives', async () => {
    const { data, errors } = await graph.ask('{ users { items { price } } }');
    const user = (id: number) => ({
      items: [{ price: `${id}a by ${id}` }, { price: `${id}b by ${id}` }],
    });
    expect([data, errors]).toEqual([{ users: [user(1), user(2), user(1)] }, undefined]);
    expect(graph.received.map(({ subgraph }) => subgraph)).toEqual(['owners', 'rates', 'items']);
  });

  it('has a value of each type of the context', async () => {
    const { data } = await graph.ask(
      '{ owners { ... on User { items { price } } ... on Shop { items { price } } } }',
    );
    expect(data).toEqual({
      owners: [
        [
          { items: [{ price: '1a by 1' }, { price: '1b by 1' }] },
          null,
          { items: [{ price: '3a by 30' }] },
        ],
      ],
    });
  });

  it('has a value of an object further out', async () => {
    const { data } = await graph.ask('{ users { items { part { price } } } }');
    expect(data).toMatchObject({
      users: [{ items: [{ part: { price: '1ap by 1' } }, {}] }, {}, {}],
    });
  });

  it('has a value in the result of a mutation', async () => {
    const { data } = await graph.ask('mutation { add { items { price } } }');
    expect(data).toMatchObject({ add: { items: [{ price: '4a by 4' }, {}] } });
  });

  it.each([
    {
      where: 'by the part around it',
      text: '{ users { items { ... @defer { price } } } }',
      waits: [],
    },
    {
      where: 'by the part',
      text: '{ users { ... @defer { items { price } } } }',
      waits: [{ id: '0' }],
    },
  ])('has a value in a deferred part that is fetched $where', ({ text, waits }) => {
    const { node } = graph.plan(parse(text), undefined).plan;
    if (node?.kind !== 'Defer') throw new Error('nothing is deferred');
    expect(node.deferred.map((part) => part.depends)).toEqual([waits]);
  });

  it('has a value in the events of a subscription', () => {
    const { node } = graph.plan(
      parse('subscription { added { items { price } } }'),
      undefined,
    ).plan;
    if (node?.kind !== 'Subscription') throw new Error('no subscription');
    expect(servicesOf(node.rest)).toEqual([['rates'], ['items']]);
  });
});

it('leaves other requests in parallel', () => {
  const { node } = graph.plan(parse('{ users { rate } owners { __typename } }'), undefined).plan;
  expect(JSON.stringify(node)).toContain('rates');
  const plan: QueryPlan = { kind: 'QueryPlan', node: node as PlanNode };
  expect(orderContexts(plan)).toBe(plan);
});

it('refuses fetches that need values of each other', () => {
  const fetch = (gives: string, needs: string): FetchNode => ({
    kind: 'Fetch',
    serviceName: 'items',
    variableUsages: [],
    operation: `{${gives}}`,
    operationName: undefined,
    operationKind: OperationTypeNode.QUERY,
    contextRewrites: [
      { kind: 'KeyRenamer', path: ['... on Query', needs], renameKeyTo: 'contextualArgument_1_0' },
    ],
  });
  const nodes = [fetch('a', 'b'), fetch('b', 'a')];
  const plan = (kind: 'Parallel' | 'Sequence'): QueryPlan => ({
    kind: 'QueryPlan',
    node: { kind, nodes },
  });
  expect(() => orderContexts(plan('Parallel'))).toThrow(
    /would use b of a context before it is fetched/,
  );
  expect(() => orderContexts(plan('Sequence'))).toThrow(
    /would use b of a context before it is fetched/,
  );
});

/** The subgraphs of each step of a plan. */
function servicesOf(node: PlanNode | undefined): string[][] {
  if (node?.kind === 'Sequence') return node.nodes.flatMap(servicesOf);
  if (node?.kind === 'Parallel') return [node.nodes.flatMap((one) => servicesOf(one).flat())];
  if (node?.kind === 'Flatten') return servicesOf(node.node);
  return node?.kind === 'Fetch' ? [[node.serviceName]] : [];
}
