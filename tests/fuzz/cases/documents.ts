import type { Random } from '@gudang/testing/random';
import { type FuzzCase, judgePost } from '../case.ts';
import { anyJson, anyText, mutateText } from '../values.ts';

/** Valid operations, which the cases mutate. */
const VALID = [
  '{ stocks(first: 5) { nodes { id name movements(first: 3) { nodes { kind order { id } } } } } }',
  'query Q($first: Int, $after: String) { orders(first: $first, after: $after) { edges { cursor node { ...F } } pageInfo { hasNextPage } } } fragment F on Order { id stock { name orders(first: 2) { nodes { id } } } }',
  'mutation M($input: CreateOrderInput!) { createOrder(input: $input) { id status stock { name } } }',
  'mutation { adjustStock(id: "x", delta: 1, reason: "y") { id } }',
  'mutation ($i: AddStockInput!) { addStock(input: $i) { id version } }',
  'query ($id: ID!) { stock(id: $id) { id } order(id: $id) { id @include(if: true) } }',
  '{ __schema { types { name fields { name args { name } } } } __type(name: "Order") { name } }',
  '{ __typename stockCursor }',
  'subscription { stockChanged(ids: ["x"]) { kind } }',
];
const NAMES = [
  'stocks',
  'orders',
  'stock',
  'order',
  'nodes',
  'edges',
  'node',
  'id',
  'name',
  '__typename',
  'nothing',
];

/** Generates a document that usually conforms to the grammar but rarely to the schema. */
function anyDocument(random: Random): string {
  const field = (depth: number): string => {
    const alias = random.chance(0.2) ? `a${random.between(0, 9)}: ` : '';
    const args = random.chance(0.3)
      ? `(${random.pick(['first', 'id', 'after', 'x'])}: ${anyValue(random)})`
      : '';
    const directive = random.chance(0.1)
      ? ` @${random.pick(['skip', 'include', 'defer', 'x'])}(if: ${anyValue(random)})`
      : '';
    const inner = depth > 0 && random.chance(0.6) ? ` { ${fields(depth - 1)} }` : '';
    const spread = random.chance(0.1) ? ` ...F${random.between(0, 2)}` : '';
    return `${alias}${random.pick(NAMES)}${args}${directive}${inner}${spread}`;
  };
  const fields = (depth: number): string =>
    Array.from({ length: random.between(1, 4) }, () => field(depth)).join(' ');
  const fragments = Array.from(
    { length: random.between(0, 3) },
    (_, n) => `fragment F${n} on ${random.pick(['Order', 'Stock', 'Query', 'X'])} { ${fields(2)} }`,
  );
  const kind = random.pick(['', 'query', 'mutation', 'subscription', 'query A($v: Int = 1)']);
  return `${kind} { ${fields(random.between(0, 12))} } ${fragments.join(' ')}`;
}

function anyValue(random: Random): string {
  return random.pick([
    () => String(random.between(-(2 ** 31), 2 ** 31)),
    () => JSON.stringify(anyText(random, 10)),
    () => '$v',
    () => 'null',
    () => '[[[[]]]]',
    () => '{a: {b: [1, $v]}}',
    () => '"""block"""',
    () => 'ENUM',
  ])();
}

/** Generates a GraphQL request with a random document, variables and operation name. */
export function anyOperation(random: Random): Record<string, unknown> {
  const query = random.pick([
    () => anyDocument(random),
    () => mutateText(random, random.pick(VALID)),
    () => random.pick(VALID),
    () => anyText(random, 60),
    () => '{'.repeat(random.between(1, 20_000)),
  ])();
  return {
    query,
    ...(random.chance(0.6)
      ? {
          variables: {
            first: anyJson(random, 2),
            after: anyJson(random, 1),
            id: anyJson(random, 1),
            input: anyJson(random),
            i: anyJson(random),
          },
        }
      : {}),
    ...(random.chance(0.2) ? { operationName: anyJson(random, 1) } : {}),
    ...(random.chance(0.2)
      ? { extensions: { persistedQuery: anyJson(random, 2), gudang: anyJson(random, 2) } }
      : {}),
  };
}

export const documents: FuzzCase = (random, { system, authorization }) =>
  judgePost(`${system.gateway.url}/graphql`, JSON.stringify(anyOperation(random)), {
    authorization,
    ...(random.chance(0.1) ? { accept: 'application/graphql-response+json' } : {}),
  });
