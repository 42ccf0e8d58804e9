import { createMetrics } from '@gudang/runtime';
import {
  type DocumentNode,
  type FragmentSpreadNode,
  type GraphQLError,
  getOperationAST,
  type InlineFragmentNode,
  Kind,
  parse,
  print,
  type SelectionSetNode,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { PlanningBudget } from '../limits/planning-budget.ts';
import type { ExecutedOperation } from '../plan-execution/plan-executor.ts';
import { createQueryExecutor } from '../request-pipeline/query-executor.ts';
import { collectParts, mergeParts } from '../testing/collect-parts.ts';
import { composeOddGraph } from '../testing/odd-subgraphs.ts';
import { createPureSubgraphs, type Faults } from '../testing/pure-subgraphs.ts';
import { createRandom, type Random } from '../testing/random.ts';
import { randomOperation } from '../testing/random-operation.ts';
import { deferRules } from './defer-rules.ts';
import { hasDefer, withoutDefer } from './deferred-operation.ts';

const graph = composeOddGraph();
const VARIABLES = { yes: true, no: false, first: 2, id: '1' };

/** The subgraphs of the current execution. */
let ask = createPureSubgraphs(graph, 0, { nulls: 0, errors: 0, nonNullErrors: 0 });
let order = createRandom(0);

/** One executor runs all operations, so that each of them is planned once. */
const execute = createQueryExecutor(
  graph,
  async (name, { query, variables }) => {
    // Requests are answered in any order.
    for (let turn = order.below(4); turn > 0; turn -= 1) await Promise.resolve();
    return ask(name, query, variables ?? {});
  },
  // Planning costs nothing, so that it is never refused.
  new PlanningBudget({ charge: () => {} }, createMetrics('test'), () => 0),
);

const runWhole = (document: DocumentNode, context: object = {}): Promise<ExecutedOperation> =>
  execute({
    context: { identity: { unrestricted: true }, forward: {}, ...context },
    request: { variables: VARIABLES },
    document,
    operation: getOperationAST(document),
  } as never) as Promise<ExecutedOperation>;

const runInParts = (document: DocumentNode) =>
  collectParts((parts) => runWhole(document, { parts }));

const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value ?? null));

/** Puts random fragments of an operation into `@defer`. */
function deferAtRandom(document: DocumentNode, random: Random): DocumentNode {
  let labels = 0;
  const names = new Set<string>();
  visit(document, { VariableDefinition: ({ variable }) => void names.add(variable.name.value) });
  const directive = (): string => {
    const label = random.chance(0.5) ? `label: "l${labels++}"` : '';
    const conditions = ['', '', '', 'if: true', 'if: false'];
    for (const name of ['yes', 'no']) if (names.has(name)) conditions.push(`if: $${name}`);
    const args = [label, random.pick(conditions)].filter((one) => one !== '');
    return args.length > 0 ? `@defer(${args.join(', ')})` : '@defer';
  };
  const isMutation = getOperationAST(document)?.operation === 'mutation';
  const defer = (set: SelectionSetNode): SelectionSetNode => {
    const count = set.selections.length;
    if (!random.chance(0.45)) return set;
    const from = random.below(count);
    const kept = set.selections.slice(0, from);
    const moved = print({ ...set, selections: set.selections.slice(from) });
    const fragment = parse(`{ ... ${directive()} ${moved} }`).definitions[0];
    if (fragment?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
    return { ...set, selections: [...kept, ...fragment.selectionSet.selections] };
  };
  return parse(
    print(
      visit(document, {
        SelectionSet: {
          leave: (set, _key, parent) => {
            const isRoot =
              parent !== undefined && 'kind' in parent && parent.kind === Kind.OPERATION_DEFINITION;
            return isRoot && isMutation ? undefined : defer(set);
          },
        },
      }),
    ),
  );
}

/** Leaves out the fragments that are deferred. */
function withoutDeferred(document: DocumentNode): DocumentNode {
  const isDeferred = (
    directives: DocumentNode['definitions'][number]['directives'] = [],
  ): boolean =>
    directives.some(({ name, arguments: args = [] }) => {
      if (name.value !== 'defer') return false;
      const condition = args.find((one) => one.name.value === 'if')?.value;
      if (condition?.kind === Kind.VARIABLE) return condition.name.value === 'yes';
      return condition?.kind !== Kind.BOOLEAN || condition.value;
    });
  const named = parse('{ unselected: __typename }').definitions[0];
  if (named?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
  const { selectionSet } = named;
  // A field without selections would not be executed.
  const leave = <T extends InlineFragmentNode | FragmentSpreadNode>(one: T) =>
    isDeferred(one.directives)
      ? { kind: Kind.INLINE_FRAGMENT, directives: [], selectionSet }
      : undefined;
  return visit(document, { InlineFragment: leave, FragmentSpread: leave });
}

/** Removes the fields that replace deferred fragments. */
function withoutNames(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data), (key, value) =>
    key === 'unselected' ? undefined : value,
  );
}

type Json = Record<string, unknown>;

const placesOf = (errors: ExecutedOperation['errors'] = []): string[] =>
  [...new Set(errors.map(({ message, path }) => `${message} at ${path?.join('.')}`))].sort();

const KINDS: readonly (readonly [string, Faults])[] = [
  ['complete data', { nulls: 0, errors: 0, nonNullErrors: 0 }],
  ['nulls and errors', { nulls: 0.1, errors: 0.1, nonNullErrors: 0 }],
];
/** More rounds take longer to plan than the whole suite may. */
const ROUNDS = Number(process.env['DEFER_ROUNDS'] ?? 10);

const CASES = Array.from({ length: ROUNDS }, (_, index) => {
  const random = createRandom(index + 1);
  const document = deferAtRandom(parse(randomOperation(graph.schema, random)), random);
  const whole = withoutDefer(document);
  return { seed: index + 1, document, whole, first: withoutDeferred(document) };
}).filter(
  ({ document }) => hasDefer(document) && validate(graph.schema, document, deferRules).length === 0,
);

describe.each(KINDS)('with %s, an operation with @defer', (_what, faults) => {
  it('has the same data and errors in parts as in one', async () => {
    let deferred = 0;
    for (const { seed, document, whole, first } of CASES) {
      const text = `${seed}: ${print(document)}`;
      expect(validate(graph.schema, document, specifiedRules), text).toEqual([]);
      ask = createPureSubgraphs(graph, seed, faults);
      order = createRandom(seed);
      const { data, errors } = clone(await runWhole(whole));
      const given = await runInParts(document);
      const merged = mergeParts(given);
      expect(merged.data, text).toEqual(data);
      // A plan may fetch more than its operation selects, and get errors for it.
      const isShown = ({ path = [] }: GraphQLError): boolean =>
        path.reduce<unknown>((value, key) => (value as Json)?.[key], data) === null;
      expect(placesOf(merged.errors.filter(isShown)), text).toEqual(
        placesOf(errors?.filter(isShown)),
      );
      if (given.parts.length > 0) {
        expect(given.first.data, text).toEqual(withoutNames((await runWhole(first)).data));
        deferred += 1;
      }
      expect(
        given.parts.map(({ hasNext }) => hasNext),
        text,
      ).toEqual(given.parts.map((_part, index) => index < given.parts.length - 1));
    }
    expect(deferred).toBeGreaterThan(ROUNDS / 4);
  }, 120_000);
});
