import { composeServices } from '@apollo/composition';
import { type OperationDefinitionNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSupergraph } from '../supergraph.ts';
import { collectCostDirectives } from './cost-directives.ts';
import { operationCost } from './operation-cost.ts';

const { supergraphSdl, errors } = composeServices([
  {
    name: 'shop',
    url: 'http://127.0.0.1:1',
    typeDefs: parse(`
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@listSize"])
      type Query {
        thing: Thing
        things: [Thing!]!
        some(first: Int): [Thing!]!
        page(first: Int = 5, last: Int): Page!
        declared(most: Int): Page! @listSize(assumedSize: 20, slicingArguments: ["most"], sizedFields: ["nodes"], requireOneSlicingArgument: false)
        three: [Thing!]! @listSize(assumedSize: 3, requireOneSlicingArgument: false)
        dear: Int @cost(weight: 7)
        blob: Blob
      }
      type Mutation { make: Thing makeAll(inputs: [ThingInput!]!): [Thing!]! tags: [String!]! }
      input ThingInput { id: ID! }
      scalar Blob @cost(weight: 5)
      interface Node { id: ID! }
      type Thing implements Node { id: ID! tags: [String!]! heavy: Heavy things(first: Int): [Thing!]! }
      type Heavy @cost(weight: 50) { id: ID! }
      type Page { nodes: [Thing!]! edges: [Edge!]! others: [Thing!]! total: Int }
      type Edge { node: Thing! }
    `),
  },
]);
if (supergraphSdl === undefined) throw new Error(String(errors));
const graph = buildSupergraph(supergraphSdl);

function costOf(text: string, variables: Record<string, unknown> = {}): number {
  const document = parse(text);
  const [operation] = document.definitions;
  const directives = collectCostDirectives(graph);
  return operationCost(
    {
      schema: graph.schema,
      directives,
      document,
      operation: operation as OperationDefinitionNode,
    },
    variables,
  );
}

const costs: [string, string, number][] = [
  ['counts 1 for an object, and 0.1 for each of its values', '{ thing { id } }', 1.1],
  ['counts each alias of a value', '{ thing { a: id b: id c: id __typename } }', 1.4],
  [
    'counts deferred fields',
    '{ thing { id ... @defer { tags ...F @defer } } } fragment F on Thing { heavy { id } }',
    1 + 0.1 + 1 + 50.1,
  ],
  ['counts the values of a list', '{ some(first: 3) { tags } }', 3 * (1 + 10 * 0.1)],
  ['counts 10 once for a mutation that returns a list', 'mutation { tags }', 10 + 10 * 0.1],
  [
    'counts the items of a batch and their results',
    'mutation { makeAll(inputs: [{ id: "a" }, { id: "b" }, { id: "c" }]) { id } }',
    10 + 3 + 3 * 1.1,
  ],
  [
    'counts a single value as a batch of one item',
    'mutation { makeAll(inputs: { id: "a" }) { id } }',
    10 + 1 + 1.1,
  ],
  ['takes the weight of a scalar', '{ blob }', 5],
  ['counts nothing for introspection', '{ __schema { types { name } } }', 0],
  ['counts 10 for a list of unknown size', '{ things { id } }', 11],
  ['takes the size from first', '{ some(first: 3) { id } }', 3.3],
  ['multiplies nested lists', '{ some(first: 3) { things(first: 4) { id } } }', 3 + 3 * 4 * 1.1],
  [
    'takes the size of a page from the default of its argument',
    '{ page { nodes { id } } }',
    1 + 5 * 1.1,
  ],
  [
    'counts both lists of a page',
    '{ page(first: 2) { nodes { id } edges { node { id } } } }',
    1 + 2 * 1.1 + 2 * 2.1,
  ],
  [
    'takes the larger of two arguments',
    '{ page(first: 2, last: 9) { nodes { id } } }',
    1 + 9 * 1.1,
  ],
  ['takes a declared size', '{ three { id } }', 3.3],
  [
    'takes the size from a declared argument',
    '{ declared(most: 4) { nodes { id } } }',
    1 + 4 * 1.1,
  ],
  [
    'takes the assumed size if the argument is missing',
    '{ declared { nodes { id } } }',
    1 + 20 * 1.1,
  ],
  [
    'applies a size only to the declared lists',
    '{ declared(most: 4) { others { id } } }',
    1 + 10 * 1.1,
  ],
  ['counts weights of fields and types', '{ dear thing { heavy { id } } }', 7 + 1 + 50 + 0.1],
  ['counts 10 for a mutation', 'mutation { a: make { id } b: make { id } }', 2 * 11.1],
  [
    'counts a fragment once for each of its spreads',
    '{ some(first: 2) { ...F } a: some(first: 3) { ...F } } fragment F on Thing { heavy { id } }',
    5 * 51.1,
  ],
  [
    'takes the list size in a fragment from the page that spreads it',
    '{ page(first: 2) { ...P } a: page(first: 3) { ...P } } fragment P on Page { nodes { id } }',
    2 + 5 * 1.1,
  ],
  [
    'counts selections inside an interface',
    '{ thing { ... on Node { ... on Thing { heavy { id } } } } }',
    51.1,
  ],
  ['counts nothing for a negative size', '{ some(first: -5) { id } }', 0],
  ['counts nothing for unknown fields', '{ nothing { at { all } } }', 0],
];

describe('operationCost', () => {
  it.each(costs)('%s', (_what, text, cost) => {
    expect(costOf(text)).toBeCloseTo(cost);
  });

  it('takes sizes from variables, their defaults, or the defaults of the arguments', () => {
    const text =
      'query ($n: Int = 4, $p: Int) { some(first: $n) { things(first: $n) { id } } declared(most: $p) { nodes { id } } }';
    expect(costOf(text, { n: 10, p: 5 })).toBeCloseTo(10 + 110 + 1 + 5 * 1.1);
    expect(costOf(text)).toBeCloseTo(4 + 16 * 1.1 + 1 + 20 * 1.1);
    expect(costOf(text, { n: 'x', p: [7] })).toBeCloseTo(10 + 110 + 1 + 20 * 1.1);
  });

  it('caps the cost', () => {
    const deep = `${'some(first: 2147483647) { '.repeat(1)}${'things(first: 2147483647) { '.repeat(40)} id ${'}'.repeat(41)}`;
    expect(costOf(`{ ${deep} }`)).toBe(Number.MAX_SAFE_INTEGER / 10);
    const text = 'query ($n: Int) { some(first: $n) { things(first: $n) { id } } }';
    for (const n of [Number.NaN, 2 ** 31, 1.5, 1e308, null, [], {}]) {
      expect(costOf(text, { n })).toBe(120);
    }
    expect(costOf(text, { n: -1 })).toBe(0);
  });

  it('takes linear time when each fragment spreads the next one twice', () => {
    const doubling = Array.from(
      { length: 200 },
      (_, n) => `fragment F${n} on Thing { things(first: $n) { ...F${n + 1} ...F${n + 1} } }`,
    );
    const text = `query ($n: Int) { thing { ...F0 } } ${doubling.join(' ')} fragment F200 on Thing { id }`;
    expect(costOf(text, { n: 2 })).toBe(Number.MAX_SAFE_INTEGER / 10);
  });
});
