import type { Identity } from '@gudang/auth';
import type { FormattedExecutionResult } from 'graphql';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import { pick } from '../planning/stream-variables.ts';
import type { SubscriptionPlan } from '../planning/subscription-plan.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';
import type { UpstreamSink } from './linked-stream.ts';
import type { LiveGraph } from './live-graph.ts';
import type { Upstreams } from './upstreams.ts';

/** Cost of a stream that counts as one more event, for each of the stream's events. */
const COST_OF_EVENT = 20;
/** Cost of a stream above which its events are executed one at a time, with pauses. */
const COSTLY_ABOVE = 50;

/** Functions that subscribe to a subgraph and execute its events. */
export interface EventRun {
  readonly subgraph: string;
  /** Equal for runs that receive the same events. */
  readonly origin: string;
  /** Number of events as which one event counts towards the limit of replayed events; at least 1. */
  readonly weight: number;
  /** Whether the events are costly to execute. */
  readonly isCostly: boolean;
  /**
   * @param cursor called at each (re)subscription; the stream continues after the returned cursor
   */
  readonly subscribe: (cursor: () => string | undefined, sink: UpstreamSink) => () => void;
  readonly takeMarks: (event: SubgraphAnswer) => EventMarks;
  /** Must not reject. */
  readonly execute: (event: SubgraphAnswer) => Promise<FormattedExecutionResult>;
}

/**
 * Creates the run of a plan. The run subscribes to one subgraph for one identity, and executes the
 * events with the plan.
 */
export function createEventRun(
  {
    plan,
    variables,
    identity,
    cost,
  }: {
    readonly plan: SubscriptionPlan;
    readonly variables: Readonly<Record<string, unknown>>;
    readonly identity: Identity;
    /** The operation's cost, as `operationCost` returns it. */
    readonly cost: number;
  },
  graph: LiveGraph,
  upstreams: Pick<Upstreams, 'of'>,
): EventRun {
  const { subgraph } = plan;
  const { query, operationName, cursorVariable, takeMarks } = plan.upstream;
  const forSubgraph = pick(variables, plan.variables);
  const upstream = upstreams.of(subgraph, identity);
  // No client's headers are forwarded, because one execution serves all clients of the stream.
  const context = { forward: {}, identity };
  const isCostly = cost > COSTLY_ABOVE;
  return {
    subgraph,
    origin: JSON.stringify([subgraph, upstream.wsUrl, query, operationName, forSubgraph]),
    weight: Math.max(1, Math.ceil(cost / COST_OF_EVENT)),
    isCostly,
    takeMarks,
    execute: (event) => graph.execute(plan, variables, event, context),
    subscribe: (cursor, sink) =>
      upstream.subscribe(
        {
          query,
          operationName,
          isCostly,
          variables: () => {
            const after = cursor();
            if (cursorVariable === undefined || after === undefined) return forSubgraph;
            return { ...forSubgraph, [cursorVariable]: after };
          },
        },
        sink,
      ),
  };
}
