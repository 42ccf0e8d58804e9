import { UNRESTRICTED } from '@gudang/auth';
import fc from 'fast-check';
import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createSubscriptionPlanner } from '../live/planning/subscription-plan.ts';
import { collectParts, mergeParts } from '../testing/collect-parts.ts';
import { createLocalGraph } from '../testing/local-graph.ts';
import { expandAbstract } from './expand-abstract.ts';
import { drawFor, findLabels, readOverrides } from './progressive-overrides.ts';

const key = { __resolveReference: ({ id }: Record<string, unknown>) => ({ id }) };

/** A graph in which each field says which subgraph has resolved it. */
function createShop(draw: () => number, shares: Readonly<Record<string, number>> = {}) {
  const from = (name: string) => () => name;
  return createLocalGraph(
    {
      old: {
        sdl: `type Query { items: [Item!]! named: Named }
          type Subscription { changed: Item }
          interface Named { name: String }
          type Thing implements Named { name: String }
          type Item implements Named @key(fields: "id") { id: ID! name: String stock: String size: String other: String sku: String }`,
        resolvers: {
          Query: { items: () => [{ id: '1' }], named: () => ({ __typename: 'Item', id: '1' }) },
          Item: {
            ...key,
            name: from('old'),
            stock: from('old'),
            size: from('old'),
            other: from('old'),
            sku: from('sku of old'),
          },
        },
      },
      next: {
        sdl: `type Item @key(fields: "id") {
            id: ID!
            name: String @override(from: "old", label: "percent(5)")
            stock: String @override(from: "old", label: "new-stock")
            size: String @override(from: "old", label: "percent(62.5)")
            sku: String @override(from: "old", label: "sku")
          }`,
        resolvers: {
          Item: {
            ...key,
            name: from('next'),
            stock: from('next'),
            size: from('next'),
            sku: from('sku of next'),
          },
        },
      },
    },
    { draw, shares: new Map(Object.entries(shares)) },
  );
}

let draw = 0;
const shop = createShop(() => draw, { 'new-stock': 25 });
const resolvedAt = async (at: number, fields: string) => {
  draw = at;
  return shop.run(`{ items { ${fields} } }`);
};

describe('a field with a progressive override', () => {
  it('moves for the share of executions that its label has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 99.999, noNaN: true }), async (at) => {
        const { data } = await resolvedAt(at, 'name stock size other');
        const of = (share: number) => (at < share ? 'next' : 'old');
        const item = { name: of(5), stock: of(25), size: of(62.5), other: 'old' };
        expect(data).toEqual({ items: [item] });
      }),
      { numRuns: 40, seed: 5, examples: [[4.999], [5], [24.999], [25], [62.5]] },
    );
  });

  it('moves in a fragment on its type, and if it is selected through an interface', async () => {
    draw = 1;
    const text = '{ named { a: name ... on Item { b: name } } }';
    expect(await shop.run(text)).toEqual({ data: { named: { a: 'next', b: 'next' } } });
    draw = 6;
    expect(await shop.run(text)).toEqual({ data: { named: { a: 'old', b: 'old' } } });
  });

  it('moves in a deferred fragment of an interface', async () => {
    const runAt = async (at: number) => {
      draw = at;
      const text = '{ named { id: __typename ... @defer { a: name } } }';
      const run = collectParts((parts) => shop.run(text, {}, { parts }) as never);
      return mergeParts(await run).data;
    };
    expect(await runAt(1)).toEqual({ named: { id: 'Item', a: 'next' } });
    expect(await runAt(6)).toEqual({ named: { id: 'Item', a: 'old' } });
  });

  it('is not deferred in fragments of several types with the same label', () => {
    const { schema } = shop.supergraph;
    const expanded = (text: string) => expandAbstract(parse(text), schema);
    expect(expanded('{ named { ... @defer(label: "a") { name } } }')).toBeUndefined();
    expect(expanded('{ named { ... on Item @defer(label: "a") { name } } }')).toBeDefined();
  });

  it('stays if its label is not on', async () => {
    const { data } = await createShop(() => 0).run('{ items { stock sku } }');
    expect(data).toEqual({ items: [{ stock: 'old', sku: 'sku of old' }] });
  });

  it('draws at random by default', async () => {
    const graph = createLocalGraph({
      old: {
        sdl: 'type Query { items: [Item!]! } type Item @key(fields: "id") { id: ID! name: String }',
        resolvers: { Query: { items: () => [{ id: '1' }] }, Item: { name: () => 'old' } },
      },
      next: {
        sdl: 'type Item @key(fields: "id") { id: ID! name: String @override(from: "old", label: "percent(50)") }',
        resolvers: { Item: { ...key, name: () => 'next' } },
      },
    });
    const seen = new Set<string>();
    for (let round = 0; round < 200 && seen.size < 2; round += 1) {
      seen.add(JSON.stringify(await graph.run('{ items { name } }')));
    }
    expect(seen.size).toBe(2);
  });
});

describe('the variants of an operation', () => {
  const find = readOverrides(shop.supergraph, new Map([['new-stock', 25]]));

  it('are as many as the labels of its fields, and one more', () => {
    const variants = find(parse('{ items { name size ...F } } fragment F on Item { stock sku }'));
    const all = Array.from({ length: 1_000 }, (_, index) => variants?.variantAt(index / 10));
    expect(new Set(all)).toEqual(new Set([0, 1, 2, 3]));
    expect(variants?.labelsOf(2)).toEqual(
      new Map([
        ['percent(62.5)', true],
        ['new-stock', true],
        ['percent(5)', false],
        ['sku', false],
      ]),
    );
  });

  it('do not exist without labels', () => {
    const { supergraph } = createLocalGraph({
      only: { sdl: 'type Query { a: Int }', resolvers: {} },
    });
    expect(readOverrides(supergraph)(parse('{ a }'))).toBeUndefined();
    expect(findLabels(supergraph)).toEqual(new Set());
    expect(findLabels(shop.supergraph)).toEqual(
      new Set(['percent(5)', 'percent(62.5)', 'new-stock', 'sku']),
    );
  });
});

describe('a stream with a progressive override', () => {
  const planner = createSubscriptionPlanner(shop.supergraph, {
    hideSuggestions: false,
    shares: new Map([['new-stock', 25]]),
  });
  const planned = (alias: string) => {
    const document = parse(`subscription { changed { ${alias}: stock } }`);
    const operation = getOperationAST(document);
    if (!operation) throw new Error('no operation');
    return planner({ document, operation }, UNRESTRICTED);
  };

  it('has the same plan in every gateway, for the share of the streams', () => {
    const aliases = Array.from({ length: 60 }, (_, index) => `a${index}`);
    const moved = aliases.filter((alias) => {
      const { isJoined, normalized } = planned(alias);
      expect(isJoined).toBe(drawFor(normalized) < 25);
      return isJoined;
    });
    expect(moved.length).toBeGreaterThan(5);
    expect(moved.length).toBeLessThan(28);
  });
});

it('refuses an execution whose plan cannot be made', async () => {
  let at = 99;
  const graph = createLocalGraph(
    {
      a: {
        sdl: `type Query { item: Item }
          type Item @key(fields: "id") { id: ID! size: Int @external area: Int @requires(fields: "size") }`,
        resolvers: { Query: { item: () => ({ id: '1' }) } },
      },
      b: {
        sdl: `type Item @key(fields: "id") {
            id: ID!
            size: Int
            area: Int @external
            price: Int @override(from: "c", label: "percent(50)") @requires(fields: "area")
          }`,
        resolvers: {},
      },
      c: {
        sdl: 'type Item @key(fields: "id") { id: ID! price: Int }',
        resolvers: { Item: { ...key, price: () => 3 } },
      },
    },
    { draw: () => at },
  );
  const document = '{ item { price } }';
  expect(await graph.run(document)).toEqual({ data: { item: { price: 3 } } });
  at = 1;
  expect(await graph.run(document)).toMatchObject({
    data: null,
    errors: [{ extensions: { code: 'PLANNING_FAILED' } }],
  });
});
