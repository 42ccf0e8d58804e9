import '../quiet-apollo.ts';
import { type Operation, operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, print } from 'graphql';
import { hasDefer } from '../defer/deferred-operation.ts';
import { PlanningError } from '../errors/planning-error.ts';
import { PLANNER_OPTIONS, type PlannedOperation } from '../plan-execution/plan-executor.ts';
import type { ReplacedNames } from '../plan-execution/replaced-names.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { expandAbstract, hasInterfaceFields } from './expand-abstract.ts';
import { flattenMutation } from './flatten-mutation.ts';
import { assertOneInterface, limitRepresentations } from './interface-representations.ts';
import { keepObjects } from './keep-objects.ts';
import { orderContexts } from './order-contexts.ts';
import { findUnplanned } from './plan-coverage.ts';
import { createExternalFinder, fetchesIn } from './plan-externals.ts';
import { type ConditionValues, pruneConditions } from './prune-conditions.ts';
import { createRenaming } from './rename-operation.ts';
import { repairSupergraph } from './repair-supergraph.ts';
import { readRequiredNames } from './required-names.ts';
import { createTranslation } from './translate-plan.ts';
import { createWidening } from './widen-required.ts';

/**
 * Plans an operation that graphql-js has found valid.
 * @param document may contain further operations if `operationName` is given
 * @param labels labels of progressive overrides; those that it does not contain are off
 * @param values variables of `@skip` and `@include` for whose values the plan is; it is for all values of others
 * @throws {PlanningError} `PLANNING_FAILED` if there is no plan that answers the operation
 */
export type OperationPlanner = (
  document: DocumentNode,
  operationName: string | undefined,
  labels?: OverrideLabels,
  values?: ConditionValues,
) => PlannedOperation;

/** Whether each label of a progressive override is on. */
export type OverrideLabels = Map<string, boolean>;

const NO_LABELS: OverrideLabels = new Map();
const NO_VALUES: ConditionValues = new Map();

type Planned = Pick<LoadedSupergraph, 'apiSchema' | 'model' | 'runnableSdl' | 'schema'>;

/** A planner takes some 100 ms and MiB for a large supergraph, so queries and streams share one. */
const planners = new WeakMap<Planned, OperationPlanner>();

/** Creates a planner for the operations of a supergraph, with Apollo's query planner. */
export function createOperationPlanner(supergraph: Planned): OperationPlanner {
  const known = planners.get(supergraph) ?? createPlanner(supergraph);
  planners.set(supergraph, known);
  return known;
}

function createPlanner({ apiSchema, model, runnableSdl, schema }: Planned): OperationPlanner {
  const given = parse(runnableSdl, { noLocation: true });
  const { document: repaired, hidden } = repairSupergraph(given);
  const planner = new QueryPlanner(
    repaired === given ? model : buildRepaired(model, repaired),
    PLANNER_OPTIONS,
  );
  const findExternals = createExternalFinder(repaired);
  const widen = createWidening({ model, schema });
  const rename = createRenaming(readRequiredNames(given));
  const translate = hidden.size > 0 ? createTranslation(repaired, hidden) : undefined;
  return (asked, operationName, labels = NO_LABELS, values = NO_VALUES) => {
    const { document, replaced } = rename(asked);
    // The result is shaped by the whole operation.
    const pruned = pruneConditions(document, operationName, renameValues(values, replaced));
    const planWith = (form: DocumentNode): QueryPlan => {
      const read = (one: DocumentNode): Operation =>
        operationFromDocument(
          apiSchema,
          flattenMutation(one, operationName),
          operationName ? { operationName } : {},
        );
      const operation = read(form);
      const plan = planner.buildQueryPlan(operation, { overrideConditions: labels });
      const asIs = form === pruned ? operation : read(pruned);
      const unplanned = findUnplanned(asIs, plan.node);
      if (unplanned.length > 0) {
        throw new PlanningError(`no subgraph can resolve ${unplanned.join(', ')}`);
      }
      const [problem] = findExternals?.(plan.node) ?? [];
      if (problem === undefined) {
        for (const fetch of fetchesIn(plan.node)) {
          assertOneInterface(fetch, schema);
          limitRepresentations(fetch, schema);
        }
        return orderContexts(plan);
      }
      throw new PlanningError(`the plan would ${problem}`);
    };
    const form = keepObjects(widen?.(pruned) ?? pruned);
    // The planner ignores labels of fields that are selected through an interface.
    const isByType = labels.size > 0 && hasInterfaceFields(form, schema);
    const plan = planInAnyForm(planWith, form, schema, isByType);
    const planned = { document, operationName, replaced, plan };
    return translate ? translate(planned) : planned;
  };
}

function renameValues(
  values: ConditionValues,
  replaced: ReplacedNames | undefined,
): ConditionValues {
  if (!replaced) return values;
  const { variables } = replaced;
  return new Map([...values].map(([name, value]) => [variables.get(name) ?? name, value]));
}

/**
 * @param isByType whether the form in which selections of interfaces are written for each type comes first
 * @throws {PlanningError} the reason why the operation cannot be planned as it is
 */
function planInAnyForm(
  planWith: (form: DocumentNode) => QueryPlan,
  document: DocumentNode,
  schema: GraphQLSchema,
  isByType: boolean,
): QueryPlan {
  const expand = () => expandAbstract(document, schema);
  const forms = isByType ? [expand, () => document] : [() => document, expand];
  if (isByType && hasDefer(document) && !expand()) {
    throw new PlanningError('it is deferred for several types with a progressive override');
  }
  let reason: PlanningError | undefined;
  for (const formOf of forms) {
    try {
      const form = formOf();
      if (form) return planWith(form);
    } catch (error) {
      reason ??= toPlanningError(error);
    }
  }
  throw reason;
}

/** @throws if the supergraph that was repaired is not valid */
function buildRepaired(model: Supergraph, repaired: DocumentNode): Supergraph {
  model.subgraphs();
  // Apollo's validation would complain about fields that only arguments in `requires:` have used.
  return Supergraph.build(print(repaired), { validateSupergraph: false });
}

function toPlanningError(error: unknown): PlanningError {
  if (error instanceof PlanningError) return error;
  const isAboutOperation =
    error instanceof GraphQLError && error.extensions['code'] === 'INVALID_GRAPHQL';
  const reason = isAboutOperation ? error.message : 'the query planner has failed';
  return new PlanningError(reason, error as Error);
}
