import { operationFromDocument } from '@apollo/federation-internals';
import { buildOperationContext, executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, type GraphQLError, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { composeOddGraph } from '../testing/odd-subgraphs.ts';
import { createRandom } from '../testing/random.ts';
import { type Oddity, randomAnswer } from '../testing/random-answer.ts';
import { randomOperation } from '../testing/random-operation.ts';
import { executeOperation, prepareOperation } from './execute-operation.ts';

const graph = composeOddGraph();
const planner = new QueryPlanner(graph.model);
const VARIABLES = { yes: true, no: false, first: 2, id: '1' };
const ROUNDS = 500;

interface Planned {
  readonly text: string;
  readonly document: DocumentNode;
  readonly plan: QueryPlan;
}

/** Planned once: planning is most of the time. */
const operations = Array.from({ length: ROUNDS }, (_, index): Planned => {
  const text = randomOperation(graph.schema, createRandom(index + 1));
  const document = parse(text);
  const operation = operationFromDocument(graph.apiSchema, document);
  return { text, document, plan: planner.buildQueryPlan(operation) };
});

/** One execution: what was asked of subgraphs, and what came of it. */
interface Seen {
  readonly asked: readonly string[];
  readonly result: unknown;
}

function createSubgraphs(seed: number, oddity: Oddity) {
  const asked: string[] = [];
  const ask = async (
    name: string,
    request: { readonly query: string; readonly variables?: Readonly<Record<string, unknown>> },
  ) => {
    asked.push(JSON.stringify([name, request.query, request.variables]));
    const schema = graph.schemas.get(name);
    if (!schema) throw new Error(`There is no subgraph ${name}`);
    return randomAnswer(schema, request, { seed, oddity });
  };
  return { asked, ask };
}

interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLError[] | undefined;
  readonly extensions?: unknown;
}

/** As it would go to a client, or what the execution ends with. Errors of fetches that run side by side come in any order. */
async function seen(execution: Promise<Result>, asked: readonly string[]): Promise<Seen> {
  const ended = await execution.catch((thrown: Error) => thrown);
  // Of fetches that run side by side, either may end it, and the others may still be asking.
  if (ended instanceof Error) return { asked: [], result: 'thrown' };
  const { data, errors, extensions } = ended;
  const result = JSON.parse(
    JSON.stringify({
      text: JSON.stringify(data) ?? 'none',
      errors: errors?.map((error) => JSON.stringify(error)).sort(),
      extensions,
    }),
  );
  return { asked: [...asked].sort(), result };
}

async function byApollo({ document, plan }: Planned, seed: number, oddity: Oddity): Promise<Seen> {
  const { asked, ask } = createSubgraphs(seed, oddity);
  const sources = Object.fromEntries(
    [...graph.schemas.keys()].map((name): [string, GraphQLDataSource] => [
      name,
      { process: ({ request }) => ask(name, { ...request, query: request.query ?? '' }) as never },
    ]),
  );
  const context = { request: { variables: VARIABLES }, context: {}, metrics: {}, logger: console };
  const execution = executeQueryPlan(
    plan,
    sources,
    context as unknown as Parameters<typeof executeQueryPlan>[2],
    buildOperationContext({ schema: graph.schema, operationDocument: document }),
    graph.supergraphSchema,
    graph.apiSchema,
  );
  return seen(execution, asked);
}

async function byOurs(
  { document, plan }: Planned,
  seed: number,
  oddity: Oddity,
): Promise<Seen | undefined> {
  const { asked, ask } = createSubgraphs(seed, oddity);
  const prepared = prepareOperation(graph, document, undefined, plan);
  if (!prepared) return undefined;
  const execution = executeOperation(prepared, VARIABLES, (node, variables) =>
    ask(node.serviceName, { query: node.operation, variables }),
  );
  return seen(execution, asked);
}

const KINDS: readonly (readonly [string, Oddity])[] = [
  ['all that is asked for', { nulls: 0, nonsense: 0, errors: 0 }],
  ['nulls', { nulls: 0.15, nonsense: 0, errors: 0 }],
  ['errors and nulls', { nulls: 0.05, nonsense: 0, errors: 0.08 }],
  ['nonsense', { nulls: 0.03, nonsense: 0.06, errors: 0.02 }],
];

describe.each(KINDS)('where subgraphs answer with %s', (_what, oddity) => {
  it('asks and answers the same as @apollo/gateway', async () => {
    let compared = 0;
    for (const [seed, planned] of operations.entries()) {
      const ours = await byOurs(planned, seed, oddity);
      if (!ours) continue;
      const theirs = await byApollo(planned, seed, oddity);
      expect(ours, `seed ${seed}: ${planned.text}`).toEqual(theirs);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(ROUNDS * 0.9);
  }, 60_000);
});

it('is tried on valid operations, most of which need several subgraphs', async () => {
  let several = 0;
  for (const [seed, planned] of operations.entries()) {
    const { text, document } = planned;
    expect(validate(graph.schema, document, specifiedRules), text).toEqual([]);
    const seen = await byOurs(planned, seed, { nulls: 0, nonsense: 0, errors: 0 });
    if ((seen?.asked.length ?? 0) > 1) several += 1;
  }
  expect(several).toBeGreaterThan(ROUNDS / 3);
}, 60_000);

it('leaves questions about the schema to Apollo', () => {
  const document = parse('{ __schema { queryType { name } } }');
  const plan = planner.buildQueryPlan(operationFromDocument(graph.apiSchema, document));
  expect(prepareOperation(graph, document, undefined, plan)).toBeUndefined();
});
