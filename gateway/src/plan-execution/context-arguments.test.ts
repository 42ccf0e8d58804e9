import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLocalGraph } from '../testing/local-graph.ts';

interface Owner {
  readonly kind: 'User' | 'Shop';
  readonly currency: string | null;
  readonly items: readonly string[];
  /** Index of another owner; -1 for none. */
  readonly friend: number;
}

/**
 * Creates a graph in which the price of an item depends on the nearest user or shop around it. The prices
 * belong to another subgraph than the users, or to the same.
 */
function createShop(inOneSubgraph: boolean) {
  let owners: readonly Owner[] = [];
  const of = ({ id }: Record<string, unknown>) => owners[Number(id)];
  const ownerAt = (index: number) =>
    owners[index] ? { __typename: owners[index].kind, id: String(index) } : null;
  const items = (parent: Record<string, unknown>) => of(parent)?.items.map((id) => ({ id }));
  const common = {
    items,
    friend: (parent: Record<string, unknown>) => ownerAt(of(parent)?.friend ?? -1),
    grid: (parent: Record<string, unknown>) => [items(parent), [null]],
    __resolveReference: ({ id }: Record<string, unknown>) => ({ id }),
  };
  const price =
    'price(currency: String @fromContext(field: "$owner ... on User { currency } ... on Shop { money { code } }"), digits: Int = 2): String';
  const resolvePrice = {
    price: ({ id }: Record<string, unknown>, { currency, digits }: Record<string, unknown>) => {
      if (currency === 'XXX') throw new Error(`no price of ${id}`);
      return `${id} ${currency ?? 'none'} ${digits}`;
    },
    __resolveReference: ({ id }: Record<string, unknown>) => ({ id }),
  };
  const context = '@context(name: "owner")';
  const fields = 'items: [Item!] friend: Owner grid: [[Item]]';
  const graph = createLocalGraph({
    owners: {
      sdl: `type Query { owners: [Owner!]! }
        union Owner = User | Shop
        type User @key(fields: "id") ${inOneSubgraph ? context : ''} { id: ID! currency: String ${fields} }
        type Shop @key(fields: "id") ${inOneSubgraph ? context : ''} { id: ID! money: Money ${fields} }
        type Money ${inOneSubgraph ? '' : '@shareable'} { code: String }
        type Item @key(fields: "id") { id: ID! parts: [Item!]! ${inOneSubgraph ? price : ''} }`,
      resolvers: {
        Query: { owners: () => owners.map((_owner, index) => ownerAt(index)) },
        User: { ...common, currency: (user) => of(user)?.currency },
        Shop: {
          ...common,
          money: (shop) => (of(shop)?.currency === null ? null : { code: of(shop)?.currency }),
        },
        Item: {
          parts: ({ id }) => (String(id).length > 2 ? [] : [{ id: `${id}x` }, { id: `${id}y` }]),
          ...resolvePrice,
        },
      },
    },
    ...(inOneSubgraph
      ? {}
      : {
          prices: {
            sdl: `type User @key(fields: "id") ${context} { id: ID! currency: String @external }
              type Shop @key(fields: "id") ${context} { id: ID! money: Money @external }
              type Money @shareable { code: String }
              type Item @key(fields: "id") { id: ID! ${price} }`,
            resolvers: { Item: resolvePrice },
          },
        }),
  });
  return {
    /** Executes an operation over these owners. */
    run: (all: readonly Owner[], text: string) => {
      owners = all;
      graph.requests.length = 0;
      return graph.run(text);
    },
    requests: graph.requests,
  };
}

const shops = { another: createShop(false), same: createShop(true) };

/** A selection on owners. */
interface Selection {
  readonly on: readonly ('User' | 'Shop')[];
  readonly items: 'none' | 'plain' | 'parts' | 'grid';
  readonly digits: number | undefined;
  readonly friend: Selection | undefined;
}

function print({ on, items, digits, friend }: Selection): string {
  const price = digits === undefined ? 'price' : `other: price(digits: ${digits})`;
  const selected = {
    none: '__typename',
    plain: `items { ${price} id }`,
    parts: `items { parts { id ${price} parts { ${price} } } }`,
    grid: `grid { ${price} }`,
  }[items];
  const inner = friend ? `friend ${print(friend)}` : '';
  return `{ __typename ${on.map((type) => `... on ${type} { ${selected} ${inner} }`).join(' ')} }`;
}

/** Computes the data of a selection from the owners. */
function expected(owners: readonly Owner[], index: number, asked: Selection): unknown {
  const owner = owners[index];
  if (!owner) return null;
  const { currency, kind } = owner;
  const data: Record<string, unknown> = { __typename: kind };
  if (!asked.on.includes(kind)) return data;
  const name = asked.digits === undefined ? 'price' : 'other';
  const priced = (id: string) => ({
    [name]: currency === 'XXX' ? null : `${id} ${currency ?? 'none'} ${asked.digits ?? 2}`,
  });
  const parts = (id: string) => (id.length > 2 ? [] : [`${id}x`, `${id}y`]);
  if (asked.items === 'plain') data['items'] = owner.items.map((id) => ({ ...priced(id), id }));
  if (asked.items === 'grid') data['grid'] = [owner.items.map(priced), [null]];
  if (asked.items === 'parts') {
    data['items'] = owner.items.map((id) => ({
      parts: parts(id).map((one) => ({ id: one, ...priced(one), parts: parts(one).map(priced) })),
    }));
  }
  if (asked.friend) data['friend'] = expected(owners, owner.friend, asked.friend);
  return data;
}

const selections = fc.letrec<{ selection: Selection }>((tie) => ({
  selection: fc.record({
    on: fc.constantFrom(['User'] as const, ['Shop'] as const, ['User', 'Shop'] as const),
    items: fc.constantFrom('none', 'plain', 'parts', 'grid'),
    digits: fc.constantFrom(undefined, 3),
    friend: fc.option(tie('selection') as fc.Arbitrary<Selection>, {
      nil: undefined,
      maxDepth: 2,
      depthSize: 'small',
    }),
  }),
})).selection;

const owners = fc.array(
  fc.record({
    kind: fc.constantFrom('User' as const, 'Shop' as const),
    currency: fc.constantFrom('EUR', 'USD', 'XXX', null),
    items: fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 3 }),
    friend: fc.integer({ min: -1, max: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);

describe.each(['another', 'same'] as const)(
  'arguments from the context of %s subgraph',
  (place) => {
    it('have the value of the nearest object around the entity', async () => {
      await fc.assert(
        fc.asyncProperty(owners, selections, async (all, selection) => {
          const text = `{ owners ${print(selection)} }`;
          const { data, errors = [] } = await shops[place].run(all, text);
          const places = all.map((_owner, index) => expected(all, index, selection));
          expect(data).toEqual({ owners: places });
          for (const { path } of errors) expect(valueAt(data, path)).toBeNull();
        }),
        { numRuns: 10, seed: 11 },
      );
    }, 30_000);
  },
);

function valueAt(data: unknown, path: readonly (string | number)[] = []): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], data);
}

const OWNERS: readonly Owner[] = [
  { kind: 'User', currency: 'EUR', items: ['1', '2'], friend: -1 },
  { kind: 'User', currency: 'USD', items: ['2'], friend: -1 },
  { kind: 'Shop', currency: 'EUR', items: ['3'], friend: -1 },
];

it('sends one request for entities with different values', async () => {
  const shop = shops.another;
  const text =
    '{ owners { ... on User { items { price ...F } } } } fragment F on Item { more: price(digits: 4) a: price(digits: 5) b: price(digits: 6) }';
  const { data } = await shop.run(OWNERS, text);
  expect(shop.requests.map(({ subgraph }) => subgraph)).toEqual(['owners', 'prices']);
  expect(data?.['owners']).toMatchObject([
    { items: [{ price: '1 EUR 2', more: '1 EUR 4' }, { price: '2 EUR 2' }] },
    { items: [{ price: '2 USD 2', b: '2 USD 6' }] },
    {},
  ]);
});

it('requests an entity once for each value', async () => {
  const shop = shops.another;
  const ownerOf = (currency: string, items: readonly string[]): Owner => {
    return { kind: 'User', currency, items, friend: -1 };
  };
  const all = [ownerOf('EUR', ['1', '2', '1']), ownerOf('USD', ['1']), ownerOf('EUR', ['2'])];
  const { data } = await shop.run(all, '{ owners { ... on User { items { price } } } }');
  expect(data?.['owners']).toEqual([
    { items: [{ price: '1 EUR 2' }, { price: '2 EUR 2' }, { price: '1 EUR 2' }] },
    { items: [{ price: '1 USD 2' }] },
    { items: [{ price: '2 EUR 2' }] },
  ]);
  const lists = Object.values(shop.requests.at(-1)?.variables ?? {}).filter(Array.isArray);
  expect(lists.map((list) => list.map(({ id }) => id))).toEqual([['1', '2'], ['1']]);
});

it('selects the entities once if all values are the same', async () => {
  const shop = shops.another;
  const all = OWNERS.filter(({ currency }) => currency === 'EUR');
  await shop.run(
    all,
    '{ owners { ... on User { items { price } } ... on Shop { items { price } } } }',
  );
  for (const { subgraph, variables } of shop.requests) {
    if (subgraph === 'prices') expect(Object.keys(variables)).toContain('representations');
  }
});

it('names the entity in an error', async () => {
  const shop = shops.another;
  const all: Owner[] = [
    ...OWNERS,
    { kind: 'User', currency: 'XXX', items: ['7', '8'], friend: -1 },
  ];
  const { errors } = await shop.run(all, '{ owners { ... on User { things: items { price } } } }');
  expect(errors).toMatchObject([
    { message: 'no price of 7', path: ['owners', 3, 'things', 0, 'price'] },
    { message: 'no price of 8', path: ['owners', 3, 'things', 1, 'price'] },
  ]);
});
