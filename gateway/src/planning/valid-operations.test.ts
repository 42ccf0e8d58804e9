import { graphql, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { federate, type Part } from '../testing/federate.ts';

const echo = (_: unknown, given: object) => JSON.stringify(given);
const THINGS = [
  { __typename: 'Book', id: '1', title: 'b', pages: 3, label: 'book 1' },
  { __typename: 'Film', id: '2', title: 'f', minutes: 90, label: 'film 2' },
  { __typename: 'Note', text: 'n' },
];
const BOOK: object = { ...THINGS[0], next: () => BOOK };
const find = ({ id }: { id: string }) => THINGS.find((one) => one.id === id);

const BASE = `
  scalar JSON
  enum Size { S L }
  input Box { size: Size = S depth: Int list: [Int!] inner: Box any: JSON id: ID f: Float }
  interface Named { title: String }
  union Thing = Book | Film | Note
  type Note { text: String! }`;
const ECHO =
  'echo(a: Int, b: Float, c: ID, d: [Int!], e: Box, f: [[Int]], g: JSON, s: Size = L, t: String = "x", boxes: [Box!]): String!';

const PARTS: Record<string, Part> = {
  a: {
    sdl: `${BASE}
      type Query { ${ECHO} things: [Thing!]! named: [Named] book: Book grid: [[Book]] constructor: String self: Query }
      type Mutation { ${ECHO} add: Book }
      type Book implements Named @key(fields: "id") { id: ID! title: String pages: Int! next(n: Int! = 1): Book }
      type Film implements Named @key(fields: "id") { id: ID! title: String minutes: Int! }`,
    resolvers: {
      Query: {
        echo,
        things: () => THINGS,
        named: () => THINGS.slice(0, 2),
        book: () => THINGS[0],
        grid: () => [[THINGS[0], null], null, []],
        constructor: () => 'c',
        self: () => ({}),
      },
      Mutation: { echo, add: () => THINGS[0] },
      Book: { next: () => THINGS[0] },
    },
  },
  b: {
    sdl: `
      type Mutation { bump: Int }
      type Query { other: Int labels(of: [ID!]! = ["1"]): [Book] }
      type Book @key(fields: "id") { id: ID! label: String! }
      type Film @key(fields: "id") { id: ID! label: String! }`,
    resolvers: {
      Mutation: { bump: () => 7 },
      Query: {
        other: () => 1,
        labels: (_: unknown, { of }: { of: string[] }) => of.map((id) => ({ id })),
      },
      Book: { label: ({ id }: { id: string }) => find({ id })?.label },
      Film: { label: ({ id }: { id: string }) => find({ id })?.label },
    },
  },
};

const { ask, supergraph } = federate(PARTS);

/** The same graph as one schema. */
async function expected(source: string, variableValues: object) {
  const query = {
    echo: (given: object) => JSON.stringify(given),
    things: THINGS,
    named: THINGS.slice(0, 2),
    book: BOOK,
    grid: [[THINGS[0], null], null, []],
    constructor: 'c',
    other: 1,
    labels: ({ of }: { of: string[] }) => of.map((id) => find({ id })),
    add: THINGS[0],
    bump: 7,
  };
  const rootValue: object = { ...query, self: () => rootValue };
  const result = await graphql({
    schema: supergraph.schema,
    source,
    rootValue,
    variableValues: variableValues as Record<string, unknown>,
    typeResolver: (one) => (one as { __typename: string }).__typename,
  });
  return JSON.parse(JSON.stringify(result));
}

const OPERATIONS: [query: string, variables?: Record<string, unknown>][] = [
  ['mutation { add { ... @skip(if: true) { label } } bump }'],
  ['{ book { id @skip(if: true) label @include(if: false) } other }'],
  ['{ echo(a: 1, b: 1, c: 7, d: 1, e: { list: 1, depth: null }, f: [1, [2, null], null]) }'],
  ['{ echo(g: { a: [1, "x", null, { b: ENUM }], c: 1.5 }, s: null, t: """block\n  text""") }'],
  ['{ echo(a: 2147483647, b: 1e20, c: "é\\u00e9\\n", d: [], boxes: { inner: { inner: {} } }) }'],
  ['{ echo(g: 99999999999999999999) }'],
  ['query ($b: Box = { size: L, list: [1, 2] }, $l: [Int!] = 1) { echo(e: $b, d: $l) }'],
  [
    'query ($n: Int!, $g: JSON, $s: Size) { echo(d: [1, $n], e: { inner: { depth: $n, any: $g } }, s: $s) }',
    { n: 5, g: { x: [1] } },
  ],
  ['query ($g: JSON) { echo(g: { deep: [$g, { x: $g }] }) }', { g: { y: 1 } }],
  ['query ($g: JSON = { a: [1] }) { echo(g: $g) }'],
  ['query ($id: ID = 5, $f: Float = 3) { echo(c: $id, b: $f) }'],
  ['query ($a: Int = null) { echo(a: $a) }'],
  ['query ($x: [ID!]!) { labels(of: $x) { label } }', { x: ['1'] }],
  ['query ($x: ID!) { labels(of: [$x]) { label }}', { x: '1' }],
  [
    'query ($__proto__: Int, $constructor: Int, $toString: Int) { echo(a: $__proto__) x: echo(a: $constructor) y: echo(a: $toString) }',
    JSON.parse('{"__proto__": 1, "constructor": 2}'),
  ],
  [
    'query ($representations: Int, $contextualArgument_1_0: Int) { echo(a: $representations, d: [1]) a: echo(a: $contextualArgument_1_0) }',
    { representations: 4 },
  ],
  [
    '{ constructor __proto__: other toString: book { constructor: label hasOwnProperty: title __proto__: pages } }',
  ],
  ['{ book { __typename ...on Named { title } ... { pages } ... on Book { label } } }'],
  [
    '{ things { ... on Named { title ... on Book { label pages } ... on Film { label } } ... on Note { text } } }',
  ],
  ['{ things { __typename } named { __typename } }'],
  ['{ named { title ... on Book { x: label } ... on Film { x: label y: title } } }'],
  [
    '{ named { ...Q } } fragment Q on Named { ... on Named { title ...R } } fragment R on Book { label }',
  ],
  ['{ grid { id label title } }'],
  ['{ self { self { book { label } other __typename } } other }'],
  [
    'query ($y: Boolean!) { book @skip(if: $y) @include(if: true) { label } other @include(if: $y) @skip(if: false) }',
    { y: true },
  ],
  [
    'query ($y: Boolean = false, $n: Boolean = true) { book { label @include(if: $y) title @skip(if: $n) __typename @include(if: $y) } }',
  ],
  ['query ($y: Boolean!) { book { label @skip(if: $y) label @include(if: $y) } }', { y: true }],
  [
    'query ($y: Boolean!) { ... @include(if: $y) { book { ...F @skip(if: $y) ...F } } } fragment F on Book { label }',
    { y: true },
  ],
  ['{ book { id @include(if: false) label } }'],
  ['{ book { id @skip(if: true) label pages @skip(if: true) } }'],
  [
    '{ ...Query } fragment Query on Query { ...on Query { other ...Book } } fragment Book on Query { book { label } }',
  ],
  ['query A { other }'],
  ['mutation { echo(a: 1) b: echo(a: 2) bump add { label title } ... on Mutation { c: echo } }'],
  [
    'mutation ($y: Boolean!) { add @include(if: $y) { label } bump @skip(if: $y) c: bump }',
    { y: true },
  ],
  [
    '{ __schema { queryType { name } } book { label } t: __type(name: "Book") { name kind fields { name } } }',
  ],
  [
    'query ($n: String!) { ...I book { label } } fragment I on Query { __type(name: $n) { id: name } __schema { id: queryType { __typename: name } } }',
    { n: 'Film' },
  ],
  [
    'query ($y: Boolean!) { book { id: label } __schema @include(if: $y) { queryType { name } } }',
    { y: false },
  ],
  ['{ book { next { next(n: 2) { label } } a: next(n: 3) { id: title label } } }'],
  ['query ($n: Int! = 3) { book { next(n: $n) { title } } }'],
  ['{ book { label label label } book { title } book { ... on Book { label title } } }'],
  ['query ($s: Size! = S) { echo(s: $s) e: echo(e: { size: $s }) }'],
  ['{ things { ... on Book { title } ... on Film { title } ... on Book { title label } } }'],
];

describe('a valid operation is answered as by one schema', () => {
  it.each(OPERATIONS)('%s', async (query, variables = {}) => {
    expect(validate(supergraph.schema, parse(query), specifiedRules)).toEqual([]);
    expect(await ask(query, variables)).toEqual(await expected(query, variables));
  });
});

it('plans selections of an interface for each of its types if there is no plan for the interface', async () => {
  const owner = 'items: [Item!]';
  const graph = federate({
    owners: {
      sdl: `
        type Query { owners: [Owner!]! }
        interface Owner { id: ID! ${owner} }
        type User implements Owner @key(fields: "id") @context(name: "owner") { id: ID! currency: String ${owner} }
        type Shop implements Owner @key(fields: "id") @context(name: "owner") { id: ID! cur: String ${owner} }
        type Item @key(fields: "id") {
          id: ID!
          price(currency: String @fromContext(field: "$owner ... on User { currency } ... on Shop { cur }")): String
        }`,
      resolvers: {
        Query: {
          owners: () => [
            { __typename: 'User', id: '1', currency: 'EUR', items: [{ id: 'a' }] },
            { __typename: 'Shop', id: '2', cur: 'USD', items: [{ id: 'b' }] },
          ],
        },
        Item: {
          price: ({ id }: { id: string }, { currency }: { currency: string }) =>
            `${id} ${currency}`,
        },
      },
    },
    names: { sdl: 'type Item @key(fields: "id") { id: ID! name: String }' },
  });
  expect(await graph.ask('{ owners { ...F } } fragment F on Owner { items { price } }')).toEqual({
    data: {
      owners: [{ items: [{ price: 'a EUR' }] }, { items: [{ price: 'b USD' }] }],
    },
  });
});
