// Otherwise, the first test that uses Apollo's executor would wait until it is loaded.
import '@apollo/gateway';
import { type GraphQLError, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createOperationPlanner } from '../planning/operation-planner.ts';
import { withoutRepeats } from '../subgraphs/repeated-entities.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { composeOddGraph } from '../testing/odd-subgraphs.ts';
import { createRandom } from '../testing/random.ts';
import { type Oddity, randomAnswer } from '../testing/random-answer.ts';
import { randomOperation } from '../testing/random-operation.ts';
import { createApolloExecutor } from './apollo-executor.ts';
import { createOwnExecutor } from './own-executor.ts';
import {
  type PlanExecutor,
  type PlannedOperation,
  type PreparedPlan,
  requestOf,
} from './plan-executor.ts';

const graph = composeOddGraph();
const plan = createOperationPlanner(graph);
const VARIABLES = { yes: true, no: false, first: 2, id: '1' };
const ROUNDS = Number(process.env['EXECUTOR_ROUNDS'] ?? 500);

interface Planned extends PlannedOperation {
  readonly text: string;
}

/** The operations are planned only once, because planning takes most of the test's time. */
const operations = Array.from({ length: ROUNDS }, (_, index) => planRandom(index + 1));

function planRandom(seed: number): Planned {
  const text = randomOperation(graph.schema, createRandom(seed));
  const document = parse(text);
  try {
    return { text, ...plan(document, undefined) };
  } catch (error) {
    // Such mutations are refused.
    if (!String(error).includes('several times with different conditions')) throw error;
    return planRandom(seed + ROUNDS);
  }
}

/** One execution: the subgraph requests and the result. */
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
    return withoutInterfaceTypes(randomAnswer(schema, request, { seed, oddity }));
  };
  return { asked, ask };
}

/** Leaves out the types of entities that are interfaces: Apollo's executor replaces known types by them. */
function withoutInterfaceTypes(answer: SubgraphAnswer): SubgraphAnswer {
  const entities = answer.data?.['_entities'];
  for (const entity of Array.isArray(entities) ? entities : []) {
    if (entity?.__typename === 'Media') entity.__typename = undefined;
  }
  return answer;
}

/** Code of errors about data that does not fit the schema. */
const MISFIT = 'DOWNSTREAM_SERVICE_ERROR';

interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLError[] | undefined;
  readonly extensions?: unknown;
}

/** Apollo's executor names the wrong element of a list in which some elements have no entity. */
function withoutIndexes(error: GraphQLError) {
  const json = JSON.parse(JSON.stringify(error));
  const path = error.path?.map((key) => (typeof key === 'number' ? '@' : key));
  return { ...json, path };
}

/**
 * Describes a result as JSON, or as an exception. Errors are sorted, because parallel fetches fail
 * in any order.
 */
async function seen(execution: Promise<Result>, asked: readonly string[]): Promise<Seen> {
  const ended = await execution.catch((thrown: Error) => thrown);
  // The exception of one parallel fetch ends the execution, but the other fetches may still send
  // requests. These requests are therefore not compared.
  if (ended instanceof Error) return { asked: [], result: 'thrown' };
  const { data, errors = [], extensions } = ended;
  const fromSubgraphs = errors.filter(
    (error) =>
      error.extensions?.['code'] !== MISFIT || error.extensions['serviceName'] !== undefined,
  );
  const result = JSON.parse(
    JSON.stringify({
      text: JSON.stringify(data) ?? 'none',
      errors: (fromSubgraphs.length > 0 ? fromSubgraphs : errors)
        .map((error) => JSON.stringify(withoutIndexes(error)))
        .sort(),
      extensions,
    }),
  );
  return { asked: [...asked].sort(), result };
}

const apollo = createApolloExecutor(graph);
/** Plans that the fallback has prepared. */
const left: PreparedPlan[] = [];
const own = createOwnExecutor(graph, {
  prepare: (planned) => {
    const prepared = apollo.prepare(planned);
    left.push(prepared);
    return prepared;
  },
});

const prepareAll = (executor: PlanExecutor): PreparedPlan[] =>
  operations.map((planned) => executor.prepare(planned));
const byApollo = prepareAll(apollo);
const byOwn = prepareAll(own);

function execute(run: PreparedPlan | undefined, seed: number, oddity: Oddity): Promise<Seen> {
  const { asked, ask } = createSubgraphs(seed, oddity);
  if (!run) throw new Error('no such operation');
  const execution = run(VARIABLES, ({ serviceName, operation }, variables) =>
    ask(serviceName, { query: operation, variables }),
  );
  return seen(execution, asked);
}

const KINDS: readonly (readonly [string, Oddity])[] = [
  ['complete data', { nulls: 0, nonsense: 0, errors: 0 }],
  ['nulls', { nulls: 0.15, nonsense: 0, errors: 0 }],
  ['errors and nulls', { nulls: 0.05, nonsense: 0, errors: 0.08 }],
  ['invalid values', { nulls: 0.03, nonsense: 0.06, errors: 0.02 }],
];

/**
 * Compares an execution with Apollo's, except for the deviations:
 * - After a root mutation that leaves no data, no later mutation runs.
 * - A non-null value that is null leads to an error even if the result has other errors (`seen`).
 */
function expectSame(ours: Seen, theirs: Seen, text: string): void {
  if (ours.asked.length === theirs.asked.length || !text.startsWith('mutation')) {
    expect(ours, text).toEqual(theirs);
    return;
  }
  if (theirs.result === 'thrown') return;
  expect(theirs.asked, text).toEqual(expect.arrayContaining([...ours.asked]));
  expect([ours.result, theirs.result], text).toEqual([NO_DATA, NO_DATA]);
}
const NO_DATA = { text: 'null', errors: expect.any(Array) };

describe.each(KINDS)('if subgraphs answer with %s, the own executor', (_what, oddity) => {
  it("sends the same requests and returns the same results as Apollo's executor", async () => {
    let compared = 0;
    for (const [seed, { text }] of operations.entries()) {
      if (left.includes(byOwn[seed] as PreparedPlan)) continue;
      const ours = await execute(byOwn[seed], seed, oddity);
      const theirs = await execute(byApollo[seed], seed, oddity);
      expectSame(ours, theirs, text);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(ROUNDS * 0.9);
  }, 60_000);
});

/** Executes an operation. @returns the result as text, and the representations of each request */
async function executeWith(
  run: PreparedPlan,
  { seed, oddity, isDistinct }: { seed: number; oddity: Oddity; isDistinct: boolean },
) {
  const { ask } = createSubgraphs(seed, oddity);
  const received: string[][] = [];
  const execution = run(VARIABLES, async (asked, used) => {
    const { query, variables = {}, entities = [] } = requestOf(asked, used);
    const distinct = isDistinct ? withoutRepeats(variables, entities) : undefined;
    const sent = distinct?.variables ?? variables;
    const representations = (sent['representations'] ?? []) as readonly unknown[];
    received.push(representations.map((one) => JSON.stringify(one)));
    const answer = await ask(asked.serviceName, { query, variables: sent });
    return distinct?.repeat(answer, () => undefined) ?? answer;
  });
  const result = await execution.catch((thrown: unknown) => ({ thrown: String(thrown) }));
  return { text: JSON.stringify(result), received };
}

const hasRepeats = (list: readonly string[]): boolean => new Set(list).size < list.length;

describe.each(KINDS)(
  'if subgraphs answer with %s, a request with each entity once',
  (_, oddity) => {
    it('leads to the same bytes as one with repeated entities', async () => {
      let repeated = 0;
      for (const [seed, { text }] of operations.entries()) {
        const run = byOwn[seed] as PreparedPlan;
        const once = await executeWith(run, { seed, oddity, isDistinct: true });
        const whole = await executeWith(run, { seed, oddity, isDistinct: false });
        expect(once.text, text).toBe(whole.text);
        expect(once.received.some(hasRepeats), text).toBe(false);
        if (whole.received.some(hasRepeats)) repeated += 1;
      }
      expect(repeated).toBeGreaterThan(ROUNDS / 20);
    }, 60_000);
  },
);

it('generates valid operations, more than a third of which need several subgraphs', async () => {
  let several = 0;
  for (const [seed, { text, document }] of operations.entries()) {
    expect(validate(graph.schema, document, specifiedRules), text).toEqual([]);
    const { asked } = await execute(byOwn[seed], seed, { nulls: 0, nonsense: 0, errors: 0 });
    if (asked.length > 1) several += 1;
  }
  expect(several).toBeGreaterThan(ROUNDS / 3);
}, 60_000);

it("leaves introspection to Apollo's executor", async () => {
  const document = parse('{ __schema { queryType { name } } }');
  const run = own.prepare(plan(document, undefined));
  expect(left).toContain(run);
  expect(await run({}, () => Promise.reject(new Error('no subgraph is needed')))).toEqual({
    data: { __schema: { queryType: { name: 'Query' } } },
  });
});
