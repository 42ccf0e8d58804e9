import { expect, it } from 'vitest';
import { AnswerParts } from '../defer/answer-parts.ts';
import type { Values } from '../plan-execution/plan-executor.ts';
import { createLocalGraph } from '../testing/local-graph.ts';

const entity = { __resolveReference: ({ id }: Record<string, unknown>) => ({ id }) };
/** Resolves when a test lets the subgraph answer for a slow field. */
let slow: Promise<void> = Promise.resolve();

const shop = createLocalGraph({
  items: {
    sdl: `type Query { item: Item items: [Item!]! strict: Item! }
      type Item @key(fields: "id") { id: ID! name: String! other: Item }`,
    resolvers: {
      Query: {
        item: () => ({ id: '1' }),
        items: () => [{ id: '1' }, { id: '2' }],
        strict: () => ({ id: '1' }),
      },
      Item: { ...entity, name: ({ id }) => `item ${id}`, other: () => ({ id: '2' }) },
    },
  },
  stock: {
    sdl: `type Item @key(fields: "id") { id: ID! stock: Int broken: Int! slow: Int secret: Int @authenticated }`,
    resolvers: {
      Item: {
        ...entity,
        stock: ({ id }) => Number(id) * 10,
        broken: ({ id }) => {
          throw new Error(`broken ${id}`);
        },
        slow: async () => {
          await slow;
          return 1;
        },
      },
    },
  },
  prices: {
    sdl: `type Item @key(fields: "id") { id: ID! price: Int }`,
    resolvers: { Item: { ...entity, price: ({ id }) => Number(id) * 100 } },
  },
});

/** Executes an operation in parts. @returns the first part, and the others */
async function inParts(text: string, variables: Values = {}) {
  const present = (errors: readonly { toJSON(): object }[]) => errors.map((one) => one.toJSON());
  const parts = new AnswerParts({ present: present as never, maxBytes: 1_000_000 });
  const first = await shop.run(text, variables, { parts });
  const others: { incremental?: unknown[]; hasNext: boolean }[] = [];
  if (parts.hasBegun) for await (const part of parts.read()) others.push(JSON.parse(part));
  return { first, others };
}

it('a null in place of a non-null value of a deferred fragment leaves the object around it', async () => {
  const { first, others } = await inParts('{ strict { name ... @defer { broken } } }');
  expect(first).toEqual({ data: { strict: { name: 'item 1' } } });
  expect(others).toMatchObject([
    {
      incremental: [
        {
          data: null,
          path: ['strict'],
          errors: [{ message: 'broken 1', path: ['strict', 'broken'] }],
        },
      ],
      hasNext: false,
    },
  ]);
});

it('an object that became null has no deferred fragment', async () => {
  const { first, others } = await inParts('{ item { broken ... @defer { price } } }');
  expect(first).toMatchObject({ data: { item: null }, errors: [{ message: 'broken 1' }] });
  expect(others).toEqual([]);
});

it('a fragment is deferred at each of its places, and inside another one', async () => {
  const { first, others } = await inParts(
    `{ item { ...F } items { id ...F @defer(label: "outer") } }
     fragment F on Item { name ... @defer(label: "inner") { stock } }`,
  );
  expect(first).toEqual({ data: { item: { name: 'item 1' }, items: [{ id: '1' }, { id: '2' }] } });
  const items = others.flatMap(({ incremental = [] }) => incremental);
  expect(items).toHaveLength(5);
  expect(items).toEqual(
    expect.arrayContaining([
      { data: { stock: 10 }, path: ['item'], label: 'inner' },
      { data: { name: 'item 2' }, path: ['items', 1], label: 'outer' },
      { data: { stock: 20 }, path: ['items', 1], label: 'inner' },
    ]),
  );
  const at = (label: string) =>
    items.findIndex(
      (one) => JSON.stringify(one).includes('["items",0]') && JSON.stringify(one).includes(label),
    );
  expect(at('outer')).toBeLessThan(at('inner'));
});

it('aliases may be named like keys, also in the paths of errors', async () => {
  const { first, others } = await inParts(
    '{ id: item { __typename: name ... @defer { id: price broken other { id: stock } } } }',
  );
  expect(first).toEqual({ data: { id: { __typename: 'item 1' } } });
  expect(JSON.stringify(others)).toContain('"path":["id","broken"]');
  const { others: whole } = await inParts(
    '{ id: item { ... @defer { id: price other { id: stock } } } }',
  );
  expect(whole.flatMap(({ incremental = [] }) => incremental)).toEqual([
    { data: { id: 100, other: { id: 20 } }, path: ['id'] },
  ]);
});

it('a deferred fragment does not wait for other fields of the first part', async () => {
  let release = (): void => {};
  slow = new Promise((resolve) => {
    release = resolve;
  });
  const before = shop.requests.length;
  const ended = inParts('{ item { slow ... @defer { price } } }');
  while (!shop.requests.slice(before).some(({ subgraph }) => subgraph === 'prices')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  release();
  const { first, others } = await ended;
  expect(first).toEqual({ data: { item: { slow: 1 } } });
  expect(others).toEqual([
    { incremental: [{ data: { price: 100 }, path: ['item'] }], hasNext: false },
  ]);
});

it('variables choose the deferred fragments', async () => {
  const text =
    'query ($a: Boolean!, $b: Boolean = true) { item { name ... @defer(if: $a, label: "a") { stock } ... @defer(if: $b, label: "b") { price } } }';
  const labelsOf = async (variables: Values): Promise<string[]> => {
    const { others } = await inParts(text, variables);
    return others
      .flatMap(({ incremental = [] }) => incremental as { label: string }[])
      .map(({ label }) => label)
      .sort();
  };
  expect(await labelsOf({ a: true })).toEqual(['a', 'b']);
  expect(await labelsOf({ a: false })).toEqual(['b']);
  expect(await labelsOf({ a: true, b: false })).toEqual(['a']);
  const { first, others } = await inParts(text, { a: false, b: false });
  expect(first).toEqual({ data: { item: { name: 'item 1', stock: 10, price: 100 } } });
  expect(others).toEqual([]);
});

it('introspection is answered as a whole', async () => {
  const { first, others } = await inParts(
    '{ __typename __schema { queryType { ... @defer { name } } } }',
  );
  expect(first).toEqual({
    data: { __typename: 'Query', __schema: { queryType: { name: 'Query' } } },
  });
  expect(others).toEqual([]);
});
