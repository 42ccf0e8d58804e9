import '../quiet-apollo.ts';
import { executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import type { Logger } from '@gudang/service';
import type { FormattedExecutionResult, GraphQLError } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { presentErrors } from '../errors/present-errors.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { EVENT_SERVICE, type SubscriptionPlan } from './subscription-plan.ts';

/** Turns an event of a subgraph into what clients asked for, with the fields of other subgraphs. */
export type EventExecutor = (
  plan: SubscriptionPlan,
  variables: Readonly<Record<string, unknown>>,
  event: SubgraphAnswer,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;

type RequestContext = Parameters<typeof executeQueryPlan>[2];
type GraphQLDataSourceProcessOptions = Parameters<GraphQLDataSource['process']>[0];

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
  sources: Readonly<Record<string, GraphQLDataSource>>;
  log: Logger;
}): EventExecutor {
  // One for all events, as making it is slow; what it inherits follows the sources as they change.
  const services: Record<string, GraphQLDataSource> = Object.create(sources);
  services[EVENT_SERVICE] = { process: async (options) => eventOf(options) };
  return async (plan, variables, event, context) => {
    try {
      const { data, errors, extensions } = await executeQueryPlan(
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
      );
      return {
        data: data ?? null,
        ...(errors ? { errors: presentErrors(errors.map(named(plan.subgraph)), log) } : {}),
        ...(extensions ? { extensions } : {}),
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
