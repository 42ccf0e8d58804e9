import '../quiet-apollo.ts';
import {
  type CompositeType,
  type Operation,
  operationFromDocument,
} from '@apollo/federation-internals';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, GraphQLError } from 'graphql';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { AsksSchema, compileSelection, type Step } from './compile-selection.ts';
import { type Execution, isRunnable, runPlan } from './run-plan.ts';
import { shapeResult, type Values } from './shape-result.ts';

/** An operation with all that is known of it before anybody runs it. */
export interface PreparedOperation {
  readonly supergraph: Pick<LoadedSupergraph, 'apiSchema' | 'supergraphSchema'>;
  readonly operation: Operation;
  readonly node: PlanNode | undefined;
  readonly selection: readonly Step[];
  /** The values of variables that are not given. */
  readonly defaults: Values;
}

/** What comes of an operation, before it is shown to a client. */
export interface ExecutedOperation {
  readonly data?: Values | null;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: { readonly valueCompletion: readonly GraphQLError[] };
}

/** @returns undefined: not for this executor, but for Apollo's own */
export function prepareOperation(
  supergraph: PreparedOperation['supergraph'],
  document: DocumentNode,
  operationName: string | undefined,
  { node }: QueryPlan,
): PreparedOperation | undefined {
  if (node?.kind === 'Subscription' || !isRunnable(node)) return undefined;
  const operation = operationFromDocument(supergraph.apiSchema, document, {
    ...(operationName ? { operationName } : {}),
    validate: false,
  });
  try {
    const selection = compileSelection(operation);
    const defaults = operation.collectDefaultedVariableValues();
    return { supergraph, operation, node, selection, defaults };
  } catch (error) {
    if (error instanceof AsksSchema) return undefined;
    throw error;
  }
}

/**
 * Runs a plan and shapes what comes of it: the same as @apollo/gateway's executeQueryPlan, which
 * reads the operation anew each time and spends a third of a request on shaping.
 * @param variables as given: defaults are the subgraphs' to fill in
 */
export async function executeOperation(
  { supergraph, operation, node, selection, defaults }: PreparedOperation,
  variables: Values | undefined,
  fetch: (node: FetchNode, variables: Values) => Promise<SubgraphAnswer>,
): Promise<ExecutedOperation> {
  const { apiSchema, supergraphSchema: schema } = supergraph;
  const { variableDefinitions: definitions, rootKind } = operation;
  const execution: Execution = { schema, variables, definitions, fetch, errors: [] };
  const input = await runPlan(execution, node);
  // They all are, but for those of a subgraph's answer that was none.
  const errors = execution.errors as GraphQLError[];
  try {
    const root = apiSchema.schemaDefinition.rootType(rootKind) as CompositeType;
    const all: Values = Object.assign(Object.create(null), defaults, variables);
    const shaped = shapeResult({ selection, root, schema: apiSchema, variables: all, input });
    const { data } = shaped;
    if (errors.length > 0) return { errors, data };
    if (shaped.errors.length === 0) return { data };
    return { extensions: { valueCompletion: shaped.errors }, data };
  } catch (error) {
    const isShown = error instanceof GraphQLError;
    const { message } = error as Error;
    return {
      errors: [isShown ? error : new GraphQLError(message, { originalError: error as Error })],
    };
  }
}
