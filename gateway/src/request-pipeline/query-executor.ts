import '../quiet-apollo.ts';
import { operationFromDocument } from '@apollo/federation-internals';
import type { ApolloGateway } from '@apollo/gateway';
import { QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { coerceVariables } from '../errors/bad-input.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import { createApolloExecutor } from '../plan-execution/apollo-executor.ts';
import { createOwnExecutor } from '../plan-execution/own-executor.ts';
import type { ExecutedOperation, PreparedPlan, Values } from '../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../subgraphs/subgraph-source.ts';
import type { LoadedSupergraph } from '../supergraph.ts';

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

/**
 * Creates the executor that plans and executes queries and mutations for Apollo Server, in place of
 * ApolloGateway's executor.
 */
export function createQueryExecutor(
  supergraph: LoadedSupergraph,
  send: SendToSubgraph,
): GatewayExecutor {
  const planner = new QueryPlanner(supergraph.model);
  const executor = createOwnExecutor(supergraph, createApolloExecutor(supergraph));
  /**
   * Plans by document and operation name. They are kept for as long as Apollo Server keeps the
   * document.
   */
  const plans = new WeakMap<DocumentNode, Map<string, PreparedPlan>>();

  const prepare = (document: DocumentNode, name = ''): PreparedPlan => {
    const ofDocument = plans.get(document) ?? new Map<string, PreparedPlan>();
    plans.set(document, ofDocument);
    const known = ofDocument.get(name);
    if (known) return known;
    const operationName = name || undefined;
    const operation = operationFromDocument(
      supergraph.apiSchema,
      document,
      operationName ? { operationName } : {},
    );
    const plan = planner.buildQueryPlan(operation);
    const prepared = executor.prepare({ document, operationName, plan });
    ofDocument.set(name, prepared);
    return prepared;
  };

  const run = (
    { operation: kind }: OperationDefinitionNode,
    execute: PreparedPlan,
    variables: Values | undefined,
    context: GatewayContext,
  ) =>
    execute(variables, ({ serviceName, operation: query, operationName }, used) =>
      send(serviceName, { query, variables: used, operationName }, context, kind),
    );

  return async ({ context: given, ...context }) => {
    const { onReady, executed, ...own } = given as ReadyContext;
    if (executed) return executed;
    const { request, document, operation } = context;
    const errors = variableErrors(supergraph, operation, request.variables);
    if (errors) return { errors };
    const prepared = prepare(document, request.operationName);
    onReady?.({
      parsed: { document, operation },
      run: (variables, ready) =>
        variableErrors(supergraph, operation, variables)
          ? undefined
          : run(operation, prepared, variables, ready),
    });
    return run(operation, prepared, request.variables, own);
  };
}

function variableErrors(
  { schema }: LoadedSupergraph,
  operation: OperationDefinitionNode,
  given: Values | undefined,
): readonly GraphQLError[] | undefined {
  if (!operation.variableDefinitions?.length) return undefined;
  return coerceVariables(schema, operation, given ?? {}).errors;
}
