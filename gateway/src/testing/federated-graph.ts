import type { Identity } from '@gudang/auth';
import { type DocumentNode, getOperationAST } from 'graphql';
import { hasDefer } from '../defer/deferred-operation.ts';
import type { PartSink } from '../defer/part-sink.ts';
import { PlanningError } from '../errors/planning-error.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { PlanningBudget } from '../limits/planning-budget.ts';
import { createSubscriptionPlanner, EVENT_SERVICE } from '../live/planning/subscription-plan.ts';
import type { ExecutedOperation, Values } from '../plan-execution/plan-executor.ts';
import { createQueryExecutor, type SendToSubgraph } from '../request-pipeline/query-executor.ts';
import { withoutRepeats } from '../subgraphs/repeated-entities.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { SubgraphRequest } from '../subgraphs/subgraph-source.ts';
import { buildSupergraph } from '../supergraph.ts';
import { collectParts, mergeParts } from './collect-parts.ts';

/** The subgraphs of a federated graph, in this process. */
export interface FederatedSubgraphs {
  readonly send: (subgraph: string, request: SubgraphRequest) => Promise<SubgraphAnswer>;
  /** Returns all events of a subscription. */
  readonly subscribe: (
    subgraph: string,
    request: SubgraphRequest,
  ) => Promise<readonly SubgraphAnswer[]>;
}

/** A result, and whether one of its parts is null because a value inside must not be. */
export type FederatedResult = ExecutedOperation & { readonly hasNullPart?: boolean };

const UNLIMITED = {
  plan: <T>(work: () => T): T => work(),
  charged: <T>(_caller: unknown, work: () => T): T => work(),
} as unknown as PlanningBudget;
const ANYONE: Identity = { scopes: [], unrestricted: true };

/**
 * Plans and executes operations as the gateway does, without HTTP: with its planner, executor and
 * subscription planner.
 * @throws Apollo's error if the text is not a supergraph
 */
export function createFederatedGraph(sdl: string) {
  const supergraph = buildSupergraph(sdl);
  const planSubscription = createSubscriptionPlanner(supergraph, { hideSuggestions: true });
  let subgraphs: FederatedSubgraphs | undefined;
  const send: SendToSubgraph = async (name, request) => {
    if (!subgraphs) throw new Error('No operation runs');
    const { variables = {}, entities = [] } = request;
    const distinct = withoutRepeats(variables, entities);
    if (!distinct) return subgraphs.send(name, request);
    const answer = await subgraphs.send(name, { ...request, variables: distinct.variables });
    return distinct.repeat(answer, () => undefined);
  };
  let draws: readonly number[] = [0];
  let drawn = 0;
  const draw = (): number => draws[drawn++ % draws.length] as number;
  const executor = createQueryExecutor(supergraph, send, UNLIMITED, { draw });
  const execute = async (document: DocumentNode, variables: Values): Promise<FederatedResult> => {
    const { operation } = parsedOf(document);
    const run = async (parts?: PartSink): Promise<ExecutedOperation> => {
      const context = { forward: {}, identity: ANYONE, parts };
      const request = { document, operation, context, request: { variables } };
      return (await executor(request as never)) as ExecutedOperation;
    };
    if (!hasDefer(document)) return run();
    const collected = await collectParts(run);
    const items = collected.parts.flatMap((part) => part.items);
    return { ...mergeParts(collected), hasNullPart: items.some(({ data }) => data === null) };
  };
  const planOrRefuse = (document: DocumentNode, variables: Values) => {
    try {
      return planSubscription(parsedOf(document), ANYONE, () => variables);
    } catch (error) {
      if (error instanceof PlanningError) return error;
      throw error;
    }
  };
  const executeEvents = async (
    document: DocumentNode,
    variables: Values,
    { send, subscribe }: FederatedSubgraphs,
  ): Promise<ExecutedOperation[]> => {
    const plan = planOrRefuse(document, variables);
    if (plan instanceof PlanningError) return [{ data: null, errors: [plan] }];
    const { query, operationName } = plan.upstream;
    const used = Object.fromEntries(
      plan.variables.filter((name) => name in variables).map((name) => [name, variables[name]]),
    );
    const events = await subscribe(plan.subgraph, { query, operationName, variables: used });
    const results: ExecutedOperation[] = [];
    for (const event of events) {
      plan.upstream.takeMarks(event);
      const result = await plan.executeEvent(
        variables,
        async ({ serviceName, operation, operationName }, variables) =>
          serviceName === EVENT_SERVICE
            ? event
            : send(serviceName, { query: operation, operationName, variables }),
      );
      results.push(result);
    }
    return results;
  };
  return {
    schema: supergraph.schema,
    /**
     * Executes an operation, one at a time. A result in parts is merged.
     * @param chosen draws for progressive overrides: a plan or an execution uses the next one
     * @returns the results of all events of a subscription, or the only result
     */
    run: async (
      document: DocumentNode,
      variables: Values,
      using: FederatedSubgraphs,
      chosen: readonly number[] = [0],
    ): Promise<FederatedResult[]> => {
      subgraphs = using;
      draws = chosen;
      drawn = 0;
      try {
        if (parsedOf(document).operation.operation === 'subscription') {
          return await executeEvents(document, variables, using);
        }
        return [await execute(document, variables)];
      } finally {
        subgraphs = undefined;
      }
    },
  };
}

function parsedOf(document: DocumentNode): ParsedOperation {
  const operation = getOperationAST(document);
  if (!operation) throw new Error('The document has no operation, or several');
  return { document, operation };
}
