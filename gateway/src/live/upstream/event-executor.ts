import type { Logger } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLError } from 'graphql';
import type { GatewayContext } from '../../context.ts';
import { presentErrors } from '../../errors/present-errors.ts';
import {
  type FetchFromSubgraph,
  requestOf,
  type Values,
} from '../../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { SubgraphSource } from '../../subgraphs/subgraph-source.ts';
import { EVENT_SERVICE, type SubscriptionPlan } from '../planning/subscription-plan.ts';
import { EntityBatch } from './entity-batch.ts';
import type { SubgraphWaits } from './subgraph-waits.ts';

/**
 * Turns a subgraph's events into the results that clients selected, including fields of other
 * subgraphs. A subgraph receives one request for the fields of all events. Never rejects: a failure
 * becomes an error in the result.
 * @param arrived time of arrival of the first event, by `performance.now()`
 * @returns one result for each event, in order
 */
export type ExecuteEvents = (
  events: readonly SubgraphAnswer[],
  arrived: number,
) => Promise<readonly FormattedExecutionResult[]>;

/**
 * Prepares the execution of a stream's events.
 * @param waits what the stream's events have waited for
 */
export type EventExecutor = (
  plan: SubscriptionPlan,
  variables: Readonly<Record<string, unknown>>,
  context: GatewayContext,
  waits: SubgraphWaits,
) => ExecuteEvents;

/** The subgraphs that add fields to an event, by name. */
export type EventSources = Readonly<Record<string, Pick<SubgraphSource, 'send'>>>;

export function createEventExecutor({
  sources,
  log,
}: {
  sources: EventSources;
  log: Logger;
}): EventExecutor {
  const executeOne = async (
    plan: SubscriptionPlan,
    variables: Readonly<Record<string, unknown>>,
    event: SubgraphAnswer,
    send: FetchFromSubgraph,
  ): Promise<FormattedExecutionResult> => {
    const fetch: FetchFromSubgraph = async (asked, used) =>
      asked.serviceName === EVENT_SERVICE ? event : send(asked, used);
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
  return (plan, variables, context, waits) => (events, arrived) => {
    const batch = events.length > 1 ? new EntityBatch() : undefined;
    const send: FetchFromSubgraph = async (asked, used) => {
      const { serviceName, operation } = asked;
      const source = sources[serviceName];
      if (!source) throw new Error(`No subgraph is named ${serviceName}`);
      const request = async (variables: Values): Promise<SubgraphAnswer> => {
        const sentAt = performance.now();
        let hasFailed = false;
        const own: GatewayContext = {
          ...context,
          waitedMs: waits.of(serviceName, arrived),
          onUnavailable: () => {
            hasFailed = true;
          },
        };
        const answer = await source.send(requestOf(asked, variables), own, undefined);
        if (hasFailed) waits.failed(serviceName, sentAt);
        else waits.answered(serviceName);
        return answer;
      };
      return batch ? batch.fetch(`${serviceName} ${operation}`, used, request) : request(used);
    };
    return Promise.all(events.map((event) => executeOne(plan, variables, event, send)));
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
