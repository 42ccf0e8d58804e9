import { UNRESTRICTED } from '@gudang/auth';
import {
  getOperationAST,
  type OperationDefinitionNode,
  parse,
  printSchema,
  validate,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { createSubscriptionPlanner, EVENT_SERVICE } from '../live/planning/subscription-plan.ts';
import { federate, type Part } from '../testing/federate.ts';

interface Item {
  readonly id: string;
  readonly price?: number | null;
  readonly weight?: number;
  readonly category?: { readonly average?: number };
  readonly comments?: readonly { readonly author?: string; readonly likes?: number }[];
  readonly grid?: readonly (readonly { readonly at?: string }[])[];
  readonly seller?: { readonly __typename: string; readonly rank?: number };
}

const RATES: Record<string, number> = { USD: 1, EUR: 2, FREE: 0 };
const ITEMS = [1, 2].map((n) => ({ id: String(n), base: n * 10, weight: n }));
const baseOf = (id: string) => Number(id) * 10;
const sold = (id: string) => ({ __typename: id === '1' ? 'Shop' : 'Person', id });

/** Subgraph `items` has the fields that fields of `shipping` require, with arguments. */
const PARTS: Record<string, Part> = {
  items: {
    sdl: `
      type Query { items: [Item!]! item(id: ID!): Item node: Node }
      type Mutation { touch(id: ID!): Item }
      type Subscription { touched: Item }
      enum Currency { USD EUR FREE }
      input Options { limit: Int! order: [String!] }
      interface Node { id: ID! price(currency: Currency!): Int }
      interface Seller { rank(scale: Int!): Int }
      type Shop implements Seller @key(fields: "id") { id: ID! rank(scale: Int!): Int }
      type Person implements Seller @key(fields: "id") { id: ID! rank(scale: Int!): Int }
      type Item implements Node @key(fields: "id") {
        id: ID!
        price(currency: Currency!): Int
        weight: Int
        category: Category
        comments(options: Options!): [Comment!]!
        grid(size: Int!): [[Cell!]!]!
        seller: Seller
      }
      type Category { average(currency: Currency! = EUR): Int }
      type Comment @key(fields: "id") { id: ID! }
      type Cell { at(unit: String!): String }`,
    resolvers: {
      Query: {
        items: () => ITEMS,
        item: (_: unknown, { id }: Item) => ITEMS.find((one) => one.id === id),
        node: () => ({ __typename: 'Item', ...ITEMS[0] }),
      },
      Subscription: { touched: { resolve: () => ITEMS[0] } },
      Mutation: { touch: (_: unknown, { id }: Item) => ITEMS.find((one) => one.id === id) },
      Item: {
        __resolveReference: ({ id }: Item) => ITEMS.find((one) => one.id === id),
        price: ({ id }: Item, { currency }: { currency: string }) => {
          if (currency === 'FREE' && id === '2') throw new Error('no price today');
          return baseOf(id) * (RATES[currency] ?? 0);
        },
        category: ({ id }: Item) => ({ id }),
        comments: ({ id }: Item, { options: { limit } }: { options: { limit: number } }) =>
          Array.from({ length: limit }, (_, index) => ({ id: `${id}-${index}` })),
        grid: (_: Item, { size }: { size: number }) =>
          Array.from({ length: size }, (_, row) =>
            Array.from({ length: size }, (_, at) => ({ row, at })),
          ),
        seller: ({ id }: Item) => sold(id),
      },
      Shop: { rank: ({ id }: Item, { scale }: { scale: number }) => Number(id) * scale },
      Person: { rank: ({ id }: Item, { scale }: { scale: number }) => Number(id) * scale },
      Category: {
        average: ({ id }: Item, { currency }: { currency: string }) =>
          baseOf(id) * 100 * (RATES[currency] ?? 0),
      },
      Cell: {
        at: ({ row, at }: { row: number; at: number }, { unit }: { unit: string }) =>
          `${row}${at}${unit}`,
      },
    },
  },
  comments: {
    sdl: 'type Comment @key(fields: "id") { id: ID! author: String likes(since: Int!): Int }',
    resolvers: {
      Comment: {
        author: ({ id }: { id: string }) => `author of ${id}`,
        likes: ({ id }: { id: string }, { since }: { since: number }) =>
          Number(id.split('-')[1]) + since,
      },
    },
  },
  shipping: {
    sdl: `
      enum Currency { USD EUR FREE }
      input Options { limit: Int! order: [String!] }
      interface Seller { rank(scale: Int!): Int }
      type Shop implements Seller @key(fields: "id") { id: ID! @external rank(scale: Int!): Int @external }
      type Person implements Seller @key(fields: "id") { id: ID! @external rank(scale: Int!): Int @external }
      type Category { average(currency: Currency! = EUR): Int @external }
      type Comment @key(fields: "id") { id: ID! author: String @external likes(since: Int!): Int @external }
      type Cell { at(unit: String!): String @external }
      type Item @key(fields: "id") {
        id: ID!
        price(currency: Currency!): Int @external
        weight: Int @external
        category: Category @external
        comments(options: Options!): [Comment!]! @external
        grid(size: Int!): [[Cell!]!]! @external
        seller: Seller @external
        plain: String
        dollars: String @requires(fields: "price(currency: USD) weight")
        euros(tax: Int): String @requires(fields: "price(currency: EUR)")
        nothing: String @requires(fields: "price(currency: FREE)")
        rich: Boolean @requires(fields: "category { average(currency: USD) }")
        average: Int @requires(fields: "category { average }")
        last: String @requires(fields: "comments(options: { limit: 3, order: [\\"new\\"] }) { author likes(since: 10) }")
        corner: String @requires(fields: "grid(size: 2) { at(unit: \\"cm\\") }")
        rank: Int @requires(fields: "seller { rank(scale: 7) }")
        ranked: Int @requires(fields: "seller { ... on Shop { rank(scale: 100) } ... on Person { rank(scale: 200) } }")
      }`,
    resolvers: {
      Item: {
        plain: ({ id }: Item) => `plain ${id}`,
        dollars: ({ price, weight }: Item) => `$${price} for ${weight}`,
        euros: ({ price }: Item, { tax = 0 }: { tax?: number }) => `€${(price ?? 0) + tax}`,
        nothing: ({ price }: Item) => `price ${price}`,
        rich: ({ category }: Item) => (category?.average ?? 0) > 1500,
        average: ({ category }: Item) => category?.average,
        last: ({ comments = [] }: Item) =>
          comments.map(({ author, likes }) => `${author} ${likes}`).join(', '),
        corner: ({ grid = [] }: Item) =>
          grid.map((row) => row.map(({ at }) => at).join(' ')).join('/'),
        rank: ({ seller }: Item) => seller?.rank,
        ranked: ({ seller }: Item) => seller?.rank,
      },
    },
  },
};

/** The values that the fields of `shipping` must have. */
const FIELDS = (n: number) => ({
  plain: `plain ${n}`,
  dollars: `$${n * 10} for ${n}`,
  euros: `€${n * 20}`,
  rich: n === 2,
  average: n * 2000,
  last: [0, 1, 2].map((one) => `author of ${n}-${one} ${one + 10}`).join(', '),
  corner: '00cm 01cm/10cm 11cm',
  rank: n * 7,
  ranked: n * (n === 1 ? 100 : 200),
});

describe.each([
  ['the own executor', false],
  ["Apollo's executor", true],
])('fields that require fields with arguments, with %s,', (_name, byApollo) => {
  const { ask, received } = federate(PARTS, { byApollo });

  it.each(Object.keys(FIELDS(1)))('have their values: %s', async (field) => {
    const expected = [1, 2].map((n) => ({ [field]: FIELDS(n)[field as 'plain'] }));
    // Apollo's executor does not support lists of lists in representations.
    if (byApollo && field === 'corner') return;
    expect(await ask(`{ items { ${field} } }`)).toEqual({ data: { items: expected } });
  });

  it.skipIf(byApollo)(
    'have their values in any pair, although a representation has room for one',
    async () => {
      const names = Object.keys(FIELDS(1)).filter((one) => one !== 'corner') as 'plain'[];
      for (const [index, one] of names.entries()) {
        for (const other of names.slice(index + 1)) {
          const { data } = await ask(`{ items { ${one} ${other} } }`);
          const expected = [1, 2].map((n) => {
            const all = FIELDS(n);
            return Object.fromEntries([one, other].map((name) => [name, all[name]]));
          });
          expect(data, `${one} ${other}`).toEqual({ items: expected });
        }
      }
    },
  );

  it.each<[string, object, Record<string, unknown>?]>([
    [
      'query ($c: Currency!) { item(id: "1") { price(currency: $c) dollars } }',
      { item: { price: 20, dollars: '$10 for 1' } },
      { c: 'EUR' },
    ],
    [
      'query ($n: Int = 1) { item(id: "1") { last ...A ...B } } fragment A on Item { comments(options: { limit: $n }) { id } } fragment B on Item { comments(options: { limit: $n }) { likes(since: 1) } }',
      { item: { last: FIELDS(1).last, comments: [{ id: '1-0', likes: 1 }] } },
    ],
    [
      '{ item(id: "2") { price: dollars weight: euros(tax: 5) category { average: average(currency: USD) } rich average } }',
      {
        item: {
          price: '$20 for 2',
          weight: '€45',
          category: { average: 2000 },
          rich: true,
          average: 4000,
        },
      },
    ],
    [
      '{ node { price(currency: EUR) ... on Item { dollars euros } } }',
      { node: { price: 20, dollars: '$10 for 1', euros: '€20' } },
    ],
    [
      'mutation { touch(id: "1") { e: euros(tax: 1) dollars rank ranked } }',
      { touch: { e: '€21', dollars: '$10 for 1', rank: 7, ranked: 100 } },
    ],
    [
      'query ($y: Boolean!) { item(id: "1") { ...F ... @skip(if: $y) { dollars } } } fragment F on Item { euros dollars @include(if: $y) }',
      { item: { euros: '€20', dollars: '$10 for 1' } },
      { y: true },
    ],
  ])('do not depend on the arguments of the client: %s', async (query, data, variables) => {
    expect(await ask(query, variables)).toEqual({ data });
  });

  // Apollo's executor drops these values.
  it.skipIf(byApollo)(
    'receive 0, and null for a field that failed, whose error has its real name',
    async () => {
      received.length = 0;
      const { data, errors = [] } = await ask('{ items { nothing dollars euros } }');
      const [first, second] = (data as { items: object[] }).items;
      expect(first).toMatchObject({ nothing: 'price 0', euros: '€20' });
      expect(second).toMatchObject({ nothing: 'price null', dollars: '$20 for 2' });
      expect(errors).toMatchObject([{ message: 'no price today', path: ['items', 1, 'price'] }]);
      // Three values of the price lead to three requests.
      const prices = received
        .filter(({ subgraph }) => subgraph === 'shipping')
        .map(({ variables }) => (variables['representations'] as Item[]).map(({ price }) => price));
      expect(prices.sort()).toEqual([
        [0, null],
        [10, 20],
        [20, 40],
      ]);
    },
  );
});

describe('hidden fields', () => {
  const { ask, received, send, supergraph } = federate(PARTS);

  it('are neither in the schema of clients, nor in messages, nor known to subgraphs', async () => {
    expect(printSchema(supergraph.schema)).not.toContain('required_');
    await ask('{ items { dollars euros corner } }');
    const requests = received.map(({ query }) => query).join(' ');
    // In requests they are aliases of fields that the subgraph has.
    expect(requests).toMatch(/required_\d_price:price\(currency:USD\)/);
    expect(requests).not.toMatch(/required_\w+(?![\w:])/);
    const query = parse('{ items { required_0_price required_price } }');
    for (const { message } of validate(supergraph.schema, query)) {
      expect(message).not.toMatch(/Did you mean.*required_/);
    }
    expect(validate(supergraph.schema, query)).toHaveLength(2);
  });

  it('have names that no field of the supergraph begins with', async () => {
    const edit = (sdl: string) =>
      sdl.replace(
        '  weight: Int ',
        '  required_0_price: Int @join__field(graph: ITEMS)\n  weight: Int ',
      );
    const { ask } = federate(PARTS, { edit });
    expect(await ask('{ item(id: "1") { dollars euros } }')).toEqual({
      data: { item: { dollars: '$10 for 1', euros: '€20' } },
    });
  });

  it('complete the events of live streams', async () => {
    const document = parse('subscription { id: touched { price: dollars euros } }');
    const operation = getOperationAST(document) as OperationDefinitionNode;
    const planOf = createSubscriptionPlanner(supergraph, { hideSuggestions: false });
    const { upstream, subgraph, executeEvent } = planOf({ document, operation }, UNRESTRICTED);
    expect(upstream.query).toMatch(/required_\d_price: price\(currency: USD\)/);
    const event = await send(subgraph, upstream.query, {});
    const { data } = await executeEvent({}, async ({ serviceName, operation }, used) =>
      serviceName === EVENT_SERVICE ? event : send(serviceName, operation, used),
    );
    expect(data).toEqual({ id: { price: '$10 for 1', euros: '€20' } });
  });
});
