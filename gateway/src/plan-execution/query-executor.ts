import '../quiet-apollo.ts';
import { operationFromDocument } from '@apollo/federation-internals';
import type { ApolloGateway } from '@apollo/gateway';
import { QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { coerceVariables } from '../errors/bad-input.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../subgraphs/subgraph-source.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { executeOperation, type PreparedOperation, prepareOperation } from './execute-operation.ts';
import type { ReadyContext, ReadyOperation } from './ready-operation.ts';
import type { Values } from './shape-result.ts';

type GatewayExecutor = ApolloGateway['executor'];

/** Asks the subgraph of that name. */
export type AskSubgraph = (
  name: string,
  ...asked: Parameters<SubgraphSource['send']>
) => Promise<SubgraphAnswer>;

/**
 * Executes queries and mutations in place of ApolloGateway's own executor: the same plans by the
 * same planner, the same answers, at a third of its CPU. What it does not run, such as questions
 * about the schema, it leaves to that one.
 */
export function createQueryExecutor(
  supergraph: LoadedSupergraph,
  ask: AskSubgraph,
  otherwise: GatewayExecutor,
): GatewayExecutor {
  const planner = new QueryPlanner(supergraph.model);
  /** By document and operation's name, for as long as Apollo Server keeps the document. */
  const known = new WeakMap<DocumentNode, Map<string, PreparedOperation | undefined>>();

  const prepare = (document: DocumentNode, name = ''): PreparedOperation | undefined => {
    const ofDocument = known.get(document) ?? new Map<string, PreparedOperation | undefined>();
    known.set(document, ofDocument);
    if (ofDocument.has(name)) return ofDocument.get(name);
    const options = name === '' ? {} : { operationName: name };
    const operation = operationFromDocument(supergraph.apiSchema, document, options);
    const plan = planner.buildQueryPlan(operation);
    const prepared = prepareOperation(supergraph, document, name || undefined, plan);
    ofDocument.set(name, prepared);
    return prepared;
  };

  const readyOf = (read: ParsedOperation, prepared: PreparedOperation): ReadyOperation => ({
    read,
    run: (variables, context) => {
      if (variableErrors(supergraph, read.operation, variables)) return undefined;
      return run(read.operation, prepared, variables, context);
    },
  });
  const run = (
    { operation: kind }: OperationDefinitionNode,
    prepared: PreparedOperation,
    variables: Values | undefined,
    context: GatewayContext,
  ) =>
    executeOperation(prepared, variables, (node, used) => {
      const { operation: query, operationName } = node;
      return ask(node.serviceName, { query, variables: used, operationName }, context, kind);
    });

  return async ({ context: given, ...context }) => {
    const { onReady, executed, ...asking } = given as ReadyContext;
    if (executed) return executed;
    const { request, document, operation } = context;
    const byApollo = () => otherwise({ ...context, context: asking });
    const errors = operation && variableErrors(supergraph, operation, request.variables);
    if (errors) return { errors };
    if (request.http?.headers.get('apollo-query-plan-experimental')) return byApollo();
    const prepared = prepare(document, request.operationName);
    if (!prepared || !operation) return byApollo();
    onReady?.(readyOf({ document, operation }, prepared));
    return run(operation, prepared, request.variables, asking);
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
