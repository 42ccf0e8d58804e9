import type { Logger } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLError } from 'graphql';
import type { GatewayContext } from '../../context.ts';
import { presentErrors } from '../../errors/present-errors.ts';
import type { FetchFromSubgraph } from '../../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../../subgraphs/subgraph-source.ts';
import { EVENT_SERVICE, type SubscriptionPlan } from '../planning/subscription-plan.ts';

/**
 * Turns a subgraph's event into the result that clients selected, including fields of other
 * subgraphs.
 */
export type EventExecutor = (
  plan: SubscriptionPlan,
  variables: Readonly<Record<string, unknown>>,
  event: SubgraphAnswer,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;

/** The subgraphs that add fields to an event, by name. */
export type EventSources = Readonly<Record<string, Pick<SubgraphSource, 'send'>>>;

/**
 * Creates an executor that never rejects: a failure becomes an error in the result, and the stream
 * continues.
 */
export function createEventExecutor({
  sources,
  log,
}: {
  sources: EventSources;
  log: Logger;
}): EventExecutor {
  return async (plan, variables, event, context) => {
    const fetch: FetchFromSubgraph = async ({ serviceName, operation, operationName }, used) => {
      if (serviceName === EVENT_SERVICE) return event;
      const source = sources[serviceName];
      if (!source) throw new Error(`No subgraph is named ${serviceName}`);
      return source.send({ query: operation, variables: used, operationName }, context, undefined);
    };
    try {
      const { data, errors } = await plan.executeEvent(variables, fetch);
      return {
        data: data ?? null,
        ...(errors ? { errors: presentErrors(errors.map(attributeTo(plan.subgraph)), log) } : {}),
      };
    } catch (error) {
      return { data: null, errors: presentErrors([error as GraphQLError], log) };
    }
  };
}

/** Replaces `EVENT_SERVICE` in the event's own errors with the subgraph that sent the event. */
function attributeTo(subgraph: string) {
  return (error: GraphQLError): GraphQLError => {
    if (error.extensions?.['serviceName'] === EVENT_SERVICE) {
      error.extensions['serviceName'] = subgraph;
    }
    return error;
  };
}
