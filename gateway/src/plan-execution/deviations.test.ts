// Otherwise, the first test that uses Apollo's executor would wait until it is loaded.
import '@apollo/gateway';
import { operationFromDocument } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { composeOddGraph } from '../testing/odd-subgraphs.ts';
import { createApolloExecutor } from './apollo-executor.ts';
import { createOwnExecutor } from './own-executor.ts';
import type { PlanExecutor } from './plan-executor.ts';

const graph = composeOddGraph();
const planner = new QueryPlanner(graph.model);
const apollo = createApolloExecutor(graph);
const own = createOwnExecutor(graph, apollo);
const EXECUTORS = [
  ['the own executor', own],
  ["Apollo's executor", apollo],
] as const;

/** Runs an operation whose requests get the given answers in turn. */
async function run(executor: PlanExecutor, text: string, answers: readonly SubgraphAnswer[]) {
  const document = parse(text);
  const plan = planner.buildQueryPlan(operationFromDocument(graph.apiSchema, document));
  const asked: string[] = [];
  const execute = executor.prepare({ document, operationName: undefined, plan });
  const result = await execute({}, async ({ serviceName, operation }) => {
    const answer = answers[asked.length];
    asked.push(`${serviceName} ${operation}`);
    return structuredClone(answer ?? { data: null });
  });
  return { asked, result: JSON.parse(JSON.stringify(result)) };
}

const failed = { data: null, errors: [{ message: 'no', path: ['open'] }] };

describe('after a failed root mutation', () => {
  const text = (first: string) => `mutation { ${first}(id: "1") { id } rate(id: "2") { stars } }`;

  it('of a non-null type, later mutations do not run', async () => {
    const { asked, result } = await run(own, text('open'), [failed]);
    expect(asked).toHaveLength(1);
    expect(result).toMatchObject({ data: null, errors: [{ message: 'no', path: ['open'] }] });
  });

  it('of a non-null type, later mutations do not run, even if another subgraph is the cause', async () => {
    const { asked, result } = await run(
      own,
      'mutation { open(id: "1") { open } rate(id: "2") { stars } }',
      [
        { data: { open: { __typename: 'Shop', id: '1' } } },
        { data: null, errors: [{ message: 'unavailable' }] },
      ],
    );
    expect(asked).toHaveLength(2);
    expect(result).toMatchObject({ data: null, errors: [{ message: 'unavailable' }] });
  });

  it('of a nullable type, later mutations run', async () => {
    const rated = { data: { rate: { stars: 5 } } };
    const { asked, result } = await run(
      own,
      'mutation { rename(id: "1", name: "x") { id } rate(id: "2") { stars } }',
      [{ data: { rename: null }, errors: [{ message: 'no', path: ['rename'] }] }, rated],
    );
    expect(asked).toHaveLength(2);
    expect(result.data).toEqual({ rename: null, ...rated.data });
  });
});

describe.each(EXECUTORS)('%s', (_name, executor) => {
  it('reports a non-null value that is null', async () => {
    const { result } = await run(executor, '{ shop { name } named { name } }', [
      { data: { shop: null, named: null } },
    ]);
    expect(result).toEqual({
      data: null,
      errors: [
        {
          message: 'Cannot return null for non-nullable field Query.shop.',
          path: ['shop'],
          extensions: { code: 'DOWNSTREAM_SERVICE_ERROR' },
        },
      ],
    });
  });

  it('reports a leaf of the wrong type', async () => {
    const { result } = await run(executor, '{ product(id: "1") { weight } }', [
      { data: { product: { weight: 'heavy' } } },
    ]);
    expect(result).toMatchObject({
      data: { product: { weight: null } },
      errors: [{ path: ['product', 'weight'] }],
    });
  });

  it('returns null without an error for a nullable object of an unknown type', async () => {
    const { result } = await run(executor, '{ named { name } }', [
      { data: { named: { __typename: 'Hidden', name: 'x' } } },
    ]);
    expect(result).toEqual({ data: { named: null } });
  });

  it('reports a non-null object of an unknown type', async () => {
    const { result } = await run(executor, '{ shop { name } }', [
      { data: { shop: { __typename: 'Hidden', name: 'x' } } },
    ]);
    expect(result).toMatchObject({
      data: null,
      errors: [{ message: 'Cannot return null for non-nullable field Query.shop.' }],
    });
    expect(JSON.stringify(result)).not.toContain('__typename');
  });
});

describe('the own executor', () => {
  it('reports a null that no other error explains, beside other errors', async () => {
    const { result } = await run(own, '{ top { rating } shop { name } }', [
      { data: { top: null }, errors: [{ message: 'no', path: ['top'] }] },
      { data: { shop: null } },
    ]);
    const paths = result.errors.map(({ path }: { path: unknown }) => path).sort();
    expect([result.data, paths]).toEqual([null, [['shop'], ['top']]]);
  });

  it('reports a failed request only once, however many values are missing', async () => {
    const { result } = await run(own, '{ products { shipping } }', [
      { data: { products: [{ __typename: 'Product', id: '1', price: 1, weight: 2 }] } },
      { data: null, errors: [{ message: 'unavailable' }] },
    ]);
    expect(result.errors).toHaveLength(1);
  });

  it('reports at most 20 values that do not fit', async () => {
    const products = Array.from({ length: 50 }, () => ({ weight: 'heavy' }));
    const { result } = await run(own, '{ top { weight: rating } }', [{ data: { top: products } }]);
    expect(result.errors).toHaveLength(20);
  });
});

it('names the element of a list whose entity has an error, even if other elements are no entities', async () => {
  const text = '{ things { ... on Note { text } ... on Shop { best { id } } } }';
  const { result } = await run(own, text, [
    {
      data: {
        things: [
          { __typename: 'Note', text: 'x' },
          { __typename: 'Shop', id: '1' },
        ],
      },
    },
    {
      data: { _entities: [{ best: null }] },
      errors: [{ message: 'no', path: ['_entities', 0, 'best'] }],
    },
  ]);
  expect(result.errors).toMatchObject([{ path: ['things', 1, 'best'] }]);
});

it('keeps the type of an entity that another subgraph names by its interface', async () => {
  const text = '{ media { fans ... on Book { pages fans } } }';
  const { result } = await run(own, text, [
    { data: { media: [{ __typename: 'Book', id: '2', pages: 7 }] } },
    { data: { _entities: [{ __typename: 'Media', fans: 3 }] } },
  ]);
  expect(result).toEqual({ data: { media: [{ fans: 3, pages: 7 }] } });
});
