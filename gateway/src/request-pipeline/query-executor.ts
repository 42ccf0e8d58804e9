import '../quiet-apollo.ts';
import type { ApolloGateway } from '@apollo/gateway';
import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { hasDefer, withoutDefer } from '../defer/deferred-operation.ts';
import { coerceVariables } from '../errors/invalid-variables.ts';
import { createNullCheck } from '../errors/null-variables.ts';
import { PlanningError } from '../errors/planning-error.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { PlanningBudget } from '../limits/planning-budget.ts';
import { createApolloExecutor } from '../plan-execution/apollo-executor.ts';
import { createOwnExecutor } from '../plan-execution/own-executor.ts';
import {
  type ExecutedOperation,
  type FetchFromSubgraph,
  type PreparedPlan,
  requestOf,
  type Values,
} from '../plan-execution/plan-executor.ts';
import { prepareByConditions, readConditions } from '../planning/condition-variants.ts';
import { createOperationPlanner, type OverrideLabels } from '../planning/operation-planner.ts';
import {
  type LabelShares,
  prepareVariants,
  readOverrides,
} from '../planning/progressive-overrides.ts';
import type { ConditionValues } from '../planning/prune-conditions.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../subgraphs/subgraph-source.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { createPartPlans, type FindPartPlan } from './part-plans.ts';

type GatewayExecutor = ApolloGateway['executor'];

/** Sends a request to the subgraph with the given name. */
export type SendToSubgraph = (
  name: string,
  ...asked: Parameters<SubgraphSource['send']>
) => Promise<SubgraphAnswer>;

/** A parsed, validated and planned query or mutation that can run without Apollo Server. */
export interface ReadyOperation {
  readonly parsed: ParsedOperation;
  /** @returns undefined if a value does not fit the type of its variable */
  readonly run: (
    variables: Values | undefined,
    context: GatewayContext,
  ) => Promise<ExecutedOperation> | undefined;
}

/**
 * Context through which the fast path and this executor exchange operations. Apollo Server passes
 * it on.
 */
export interface ReadyContext extends GatewayContext {
  /** Receives each operation that the executor has planned. */
  readonly onReady?: (ready: ReadyOperation) => void;
  /** The result of the fast path, which Apollo Server only presents. */
  readonly executed?: Promise<ExecutedOperation>;
}

interface PreparedOperation {
  /** Plans the operation for the conditions of a request if it has no plan for them. */
  readonly execute: PreparedPlan;
  /** Whether a plan may be made when the operation is executed. */
  readonly isPlannedLater: boolean;
  /** Finds the plan for an execution in parts; undefined without `@defer`. */
  readonly findParts: FindPartPlan | undefined;
  /** @returns the errors about a request's variables */
  readonly variableErrors: (given: Values | undefined) => readonly GraphQLError[] | undefined;
}

/**
 * Creates the executor that plans and executes queries and mutations for Apollo Server, in place of
 * ApolloGateway's executor.
 * @param shares shares of the labels of progressive overrides
 * @param draw draws a number from 0 to 100 for each execution; default: a random one
 */
export function createQueryExecutor(
  supergraph: LoadedSupergraph,
  send: SendToSubgraph,
  planning: PlanningBudget,
  { shares, draw }: { shares?: LabelShares | undefined; draw?: () => number } = {},
): GatewayExecutor {
  const plan = createOperationPlanner(supergraph);
  const findOverrides = readOverrides(supergraph, shares);
  const findConditions = readConditions(supergraph);
  const executor = createOwnExecutor(supergraph, createApolloExecutor(supergraph));
  /**
   * Plans by document and operation name. They are kept for as long as Apollo Server keeps the
   * document.
   */
  const plans = new WeakMap<DocumentNode, Map<string, PreparedOperation>>();

  const prepare = (parsed: ParsedOperation, name = ''): PreparedOperation => {
    const { document } = parsed;
    const ofDocument = plans.get(document) ?? new Map<string, PreparedOperation>();
    plans.set(document, ofDocument);
    const known = ofDocument.get(name);
    if (known) return known;
    const operationName = name || undefined;
    const isDeferred = hasDefer(document);
    const whole = isDeferred ? withoutDefer(document) : document;
    const charge = <T>(work: () => T): T => planning.plan(work);
    const prepared = charge(() => {
      const overrides = findOverrides(document);
      const conditions = findConditions(parsed);
      const planWith = (labels?: OverrideLabels): PreparedPlan => {
        const planAt = (values?: ConditionValues) =>
          executor.prepare(plan(whole, operationName, labels, values));
        if (!conditions) return planAt();
        return prepareByConditions(conditions, (values) => charge(() => planAt(values)));
      };
      return {
        execute: overrides ? prepareVariants(overrides, planWith, draw) : planWith(),
        isPlannedLater: conditions !== undefined || overrides !== undefined,
        findParts: isDeferred
          ? createPartPlans(parsed, { plan, executor, overrides, conditions, draw, charge })
          : undefined,
        variableErrors: createVariableCheck(supergraph, parsed),
      };
    });
    ofDocument.set(name, prepared);
    return prepared;
  };

  /** Executes an operation as a whole. Its plan may be made now. */
  const runWhole = (
    { execute, isPlannedLater }: PreparedOperation,
    variables: Values | undefined,
    fetch: FetchFromSubgraph,
    { identity, address = '', answer }: GatewayContext,
  ): Promise<ExecutedOperation> => {
    if (!isPlannedLater) return execute(variables, fetch);
    const executed = planning.charged({ identity, address }, () => execute(variables, fetch));
    return executed.catch((error) => refusal(error, answer));
  };

  const run = (
    { operation: kind }: OperationDefinitionNode,
    prepared: PreparedOperation,
    variables: Values | undefined,
    given: GatewayContext,
  ): Promise<ExecutedOperation> => {
    let context = given;
    const fetch: FetchFromSubgraph = (asked, used) => {
      const sent = send(asked.serviceName, requestOf(asked, used), context, kind);
      if (kind === 'mutation') context = { ...given, isLater: true };
      return sent;
    };
    const { parts, identity, address = '' } = given;
    const { findParts } = prepared;
    if (!parts || !findParts) return runWhole(prepared, variables, fetch, given);
    const inParts = planning.charged({ identity, address }, () => findParts(variables));
    return inParts ? inParts(variables, fetch, parts) : runWhole(prepared, variables, fetch, given);
  };

  return async ({ context: given, request, document, operation }) => {
    const { onReady, executed, ...own } = given as ReadyContext;
    if (executed) return executed;
    const { identity, address = '' } = own;
    let prepared: PreparedOperation;
    try {
      prepared = planning.charged({ identity, address }, () =>
        prepare({ document, operation }, request.operationName),
      );
    } catch (error) {
      return refusal(error, own.answer);
    }
    const errors = prepared.variableErrors(request.variables);
    if (errors) return { errors };
    onReady?.({
      parsed: { document, operation },
      run: (variables, ready) =>
        prepared.variableErrors(variables) ? undefined : run(operation, prepared, variables, ready),
    });
    return run(operation, prepared, request.variables, own);
  };
}

/**
 * Returns the result of an operation that has no plan, and makes the whole request fail if the operation cannot be
 * planned now.
 * @throws the error if it is about something else
 */
function refusal(error: unknown, answer: GatewayContext['answer']): ExecutedOperation {
  if (error instanceof PlanningError) return { errors: [error], data: null };
  if (!(error instanceof RequestError)) throw error;
  answer?.refuse(error);
  return { errors: [error] };
}

function createVariableCheck(
  { schema }: LoadedSupergraph,
  parsed: ParsedOperation,
): PreparedOperation['variableErrors'] {
  const { operation } = parsed;
  if (!operation.variableDefinitions?.length) return () => undefined;
  const findNulls = createNullCheck(schema, parsed);
  return (given) => {
    const { coerced, errors } = coerceVariables(schema, operation, given ?? {});
    if (errors) return errors;
    const nulls = findNulls?.(coerced);
    return nulls?.length ? nulls : undefined;
  };
}
