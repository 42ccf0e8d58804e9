import '../../quiet-apollo.ts';
import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { FetchNode } from '@apollo/query-planner';
import type { Logger } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLError } from 'graphql';
import type { GatewayContext } from '../../context.ts';
import { presentErrors } from '../../errors/present-errors.ts';
import {
  type ExecutedOperation,
  executeOperation,
} from '../../plan-execution/execute-operation.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../../subgraphs/subgraph-source.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';
import { EVENT_SERVICE, type SubscriptionPlan } from '../planning/subscription-plan.ts';

/** Turns an event of a subgraph into what clients asked for, with the fields of other subgraphs. */
export type EventExecutor = (
  plan: SubscriptionPlan,
  variables: Readonly<Record<string, unknown>>,
  event: SubgraphAnswer,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;

type Executor = (...asked: Parameters<EventExecutor>) => Promise<ExecutedOperation>;
type Values = Parameters<typeof executeOperation>[1] & object;
type RequestContext = Parameters<typeof executeQueryPlan>[2];
type GraphQLDataSourceProcessOptions = Parameters<GraphQLDataSource['process']>[0];

/** Who is asked for what is added to an event, by the name of the subgraph. */
export type EventSources = Readonly<
  Record<string, GraphQLDataSource & Pick<SubgraphSource, 'send'>>
>;

/** What an execution hands to its data sources: the event among it. */
interface EventContext {
  readonly event: SubgraphAnswer;
}

/** Never rejects: what fails is an error in the result, and the stream goes on. */
export function createEventExecutor({
  supergraph,
  sources,
  log,
}: {
  supergraph: LoadedSupergraph;
  sources: EventSources;
  log: Logger;
}): EventExecutor {
  // One for all events, as making it is slow; what it inherits follows the sources as they change.
  const services: Record<string, GraphQLDataSource> = Object.create(sources);
  services[EVENT_SERVICE] = { process: async (options) => eventOf(options) };
  const byApollo: Executor = (plan, variables, event, context) =>
    executeQueryPlan(
      plan.eventPlan,
      services,
      {
        request: { variables },
        event,
        context,
        metrics: {},
        logger: log,
      } as unknown as RequestContext,
      plan.operationContext,
      supergraph.supergraphSchema,
      supergraph.apiSchema,
    ) as Promise<ExecutedOperation>;

  const execute: Executor = (plan, variables, event, context) => {
    if (!plan.prepared) return byApollo(plan, variables, event, context);
    const fetch = async (node: FetchNode, used: Values): Promise<SubgraphAnswer> => {
      if (node.serviceName === EVENT_SERVICE) return event;
      const source = sources[node.serviceName];
      if (!source) throw new Error(`No subgraph is named ${node.serviceName}`);
      const { operation: query, operationName } = node;
      return source.send({ query, variables: used, operationName }, context, undefined);
    };
    return executeOperation(plan.prepared, variables, fetch);
  };

  return async (plan, variables, event, context) => {
    try {
      const { data, errors, extensions } = await execute(plan, variables, event, context);
      return {
        data: data ?? null,
        ...(errors ? { errors: presentErrors(errors.map(named(plan.subgraph)), log) } : {}),
        ...(extensions ? { extensions: { ...extensions } } : {}),
      };
    } catch (error) {
      return { data: null, errors: presentErrors([error as GraphQLError], log) };
    }
  };
}

function eventOf(options: GraphQLDataSourceProcessOptions): SubgraphAnswer {
  const { incomingRequestContext } = options as { incomingRequestContext?: unknown };
  return (incomingRequestContext as EventContext).event;
}

/** An error of the event came from the subgraph that sent it. */
function named(subgraph: string) {
  return (error: GraphQLError): GraphQLError => {
    if (error.extensions?.['serviceName'] === EVENT_SERVICE) {
      error.extensions['serviceName'] = subgraph;
    }
    return error;
  };
}
