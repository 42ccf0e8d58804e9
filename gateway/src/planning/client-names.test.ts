import { buildSchema, type GraphQLSchema, getNamedType, graphql, isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { federate, type Part } from '../testing/federate.ts';
import { createRandom, type Random } from '../testing/random.ts';

interface Product {
  readonly id: string;
  readonly code: { readonly of: string; readonly number: number };
  readonly name: string;
  readonly price: number;
  readonly size: { readonly weight: number; readonly unit: string };
  readonly shipping: string;
  readonly label: string;
  readonly related: readonly Product[];
  readonly owner: Person | null;
}
interface Person {
  readonly id: string;
  readonly name: string;
  readonly products: readonly Product[];
}

const PEOPLE: Person[] = ['p1', 'p2'].map((id) => ({ id, name: `person ${id}`, products: [] }));
const PRODUCTS: Product[] = [1, 2, 3].map((n) => ({
  id: String(n),
  code: { of: `c${n}`, number: n },
  name: `product ${n}`,
  price: n * 10,
  size: { weight: n * 2, unit: 'kg' },
  shipping: `${n * 10} for ${n * 2}`,
  label: `label c${n}/${n}`,
  related: [],
  owner: n === 3 ? null : (PEOPLE[n - 1] as Person),
}));
for (const [index, product] of PRODUCTS.entries()) {
  (product.related as Product[]).push(...PRODUCTS.filter((_, other) => other !== index));
}
for (const person of PEOPLE) {
  (person.products as Product[]).push(...PRODUCTS.filter(({ owner }) => owner === person));
}
const find = ({ id }: { id: string }) => PRODUCTS.find((one) => one.id === id);

const PARTS: Record<string, Part> = {
  products: {
    sdl: `
      type Query { product(id: ID!): Product products: [Product!]! named: [Named] }
      type Mutation { touch(id: ID!): Product }
      interface Named { name: String! }
      type Size { weight: Int! unit: String! }
      type Code @shareable { of: String! number: Int! }
      type Product implements Named @key(fields: "id") @key(fields: "code { of number }") {
        id: ID! code: Code! name: String! price: Int! size: Size! related(id: ID): [Product!]! owner: Person
      }
      type Person implements Named @key(fields: "id") { id: ID! name: String! }`,
    resolvers: {
      Query: {
        product: (_: unknown, given: { id: string }) => find(given),
        products: () => PRODUCTS,
        named: () => [...PRODUCTS, ...PEOPLE],
      },
      Mutation: { touch: (_: unknown, given: { id: string }) => find(given) },
      Named: { __resolveType: (one: object) => ('price' in one ? 'Product' : 'Person') },
      Product: {
        related: ({ related }: Product, { id }: { id?: string }) =>
          related.filter((one) => id === undefined || one.id === id),
        __resolveReference: ({ id, code }: { id?: string; code?: Product['code'] }) =>
          PRODUCTS.find((one) => one.id === id || one.code.of === code?.of),
      },
      Person: { __resolveReference: ({ id }: Person) => PEOPLE.find((one) => one.id === id) },
    },
  },
  shipping: {
    sdl: `
      type Size { weight: Int! @external }
      type Product @key(fields: "id") {
        id: ID! price: Int! @external size: Size! @external
        shipping: String! @requires(fields: "price size { weight }")
      }
      type Person @key(fields: "id") { id: ID! products: [Product!]! }`,
    resolvers: {
      Product: {
        shipping: ({ price, size }: Product) => `${price} for ${size.weight}`,
      },
      Person: {
        products: ({ id }: Person) =>
          PEOPLE.find((one) => one.id === id)?.products.map(({ id }) => ({ id })),
      },
    },
  },
  labels: {
    sdl: `
      type Code @shareable { of: String! number: Int! }
      type Product @key(fields: "code { of number }") { code: Code! label: String! }`,
    resolvers: {
      Product: { label: ({ code }: Product) => `label ${code.of}/${code.number}` },
    },
  },
};

/** The same graph as one schema: the oracle. */
const WHOLE = buildSchema(`
  type Query { product(id: ID!): Product products: [Product!]! named: [Named] }
  type Mutation { touch(id: ID!): Product }
  interface Named { name: String! }
  type Size { weight: Int! unit: String! }
  type Code { of: String! number: Int! }
  type Product implements Named {
    id: ID! code: Code! name: String! price: Int! size: Size! related(id: ID): [Product!]! owner: Person
    shipping: String! label: String!
  }
  type Person implements Named { id: ID! name: String! products: [Product!]! }`);

async function expected(source: string, variableValues = {}) {
  const rootValue = {
    product: find,
    touch: find,
    products: PRODUCTS,
    named: [...PRODUCTS, ...PEOPLE],
  };
  const result = await graphql({
    schema: WHOLE,
    source,
    rootValue,
    variableValues,
    typeResolver: (one) => ('price' in (one as object) ? 'Product' : 'Person'),
    fieldResolver: (parent, given, _context, { fieldName }) => {
      const value = parent[fieldName];
      if (fieldName === 'related' && given['id'] !== undefined) {
        return value.filter(({ id }: Product) => id === given['id']);
      }
      return typeof value === 'function' ? value(given) : value;
    },
  });
  return JSON.parse(JSON.stringify(result));
}

const GENERATED = 40;
/** Names of keys and required fields at any depth, and harmless ones. */
const ALIASES = [
  'id',
  'code',
  'of',
  'number',
  'price',
  'size',
  'weight',
  '__typename',
  'name',
  'x',
  'renamed_id',
];

/** Generates a valid operation in which the response names of an object are unique. */
function randomNames(schema: GraphQLSchema, random: Random): string {
  const selection = (typeName: string, depth: number, used = new Set<string>()): string => {
    const type = schema.getType(typeName);
    const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
    const parts: string[] = [];
    for (let count = 0; count < 2 + random.below(4); count += 1) {
      const field = random.pick(fields);
      const inner = field && schema.getType(getNamedType(field.type).name);
      if (!field || (depth === 0 && isObjectType(inner))) continue;
      const alias = random.chance(0.6) ? random.pick(ALIASES) : field.name;
      if (used.has(alias)) continue;
      used.add(alias);
      const given = field.name === 'related' && random.chance(0.5) ? '(id: "2")' : '';
      const own = `${alias === field.name ? '' : `${alias}: `}${field.name}${given}`;
      const set = isObjectType(inner) ? ` ${selection(inner.name, depth - 1)}` : '';
      const one = `${own}${set}`;
      parts.push(random.chance(0.15) ? `... on ${typeName} { ${one} }` : one);
    }
    if (random.chance(0.2) && !used.has('kind')) parts.push('kind: __typename');
    if (parts.length === 0) parts.push('k: __typename');
    return `{ ${parts.join(' ')} }`;
  };
  const roots = [
    () => `{ product(id: "1") ${selection('Product', 2)} }`,
    () => `{ id: products ${selection('Product', 1)} }`,
    () =>
      `{ named { __typename: name ... on Product ${selection('Product', 2, new Set(['__typename']))} ... on Person ${selection('Person', 2, new Set(['__typename', ...ALIASES]))} } }`,
    () => `mutation { price: touch(id: "2") ${selection('Product', 2)} }`,
  ];
  return random.pick(roots)();
}

describe.each([
  ['the own executor', false],
  ["Apollo's executor", true],
])("a client's aliases, with %s,", (_name, byApollo) => {
  const { ask } = federate(PARTS, { byApollo });

  it.each([
    ['{ product(id: "1") { id: name owner { products { shipping } } } }'],
    ['{ product(id: "1") { id: name shipping label } }'],
    ['{ product(id: "1") { price: name size: code { weight: of } shipping } }'],
    ['{ product(id: "1") { __typename: name code: id shipping label } }'],
    ['{ products { related(id: "1") { id label: shipping } id: related(id: "2") { shipping } } }'],
    [
      '{ product(id: "1") { ...A ...B } } fragment A on Product { id: label } fragment B on Product { id: label price: shipping }',
    ],
    ['mutation { id: touch(id: "1") { __typename: label id: price shipping } }'],
    ['{ named { id: __typename ... on Person { code: id products { id: shipping } } } }'],
  ])('do not change what is fetched: %s', async (query) => {
    expect(await ask(query)).toEqual(await expected(query));
  });

  it.skipIf(byApollo)(
    'may be any names in generated operations',
    async () => {
      let renamed = 0;
      for (let seed = 1; seed <= GENERATED; seed += 1) {
        const query = randomNames(WHOLE, createRandom(seed));
        const own = await ask(query);
        expect(own, query).toEqual(await expected(query));
        if (/\b(id|code|price|size|weight|of|number|__typename): /.test(query)) renamed += 1;
      }
      expect(renamed).toBeGreaterThan(GENERATED / 2);
    },
    60_000,
  );
});
