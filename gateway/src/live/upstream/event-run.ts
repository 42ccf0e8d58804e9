import type { Identity } from '@gudang/auth';
import type { ForwardedHeaders } from '../../headers/forwarded-headers.ts';
import {
  type ReplacedNames,
  toClientErrors,
  toPlanVariables,
} from '../../plan-execution/replaced-names.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import { pick } from '../planning/stream-variables.ts';
import type { SubscriptionPlan } from '../planning/subscription-plan.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';
import type { ExecuteEvents } from './event-executor.ts';
import type { UpstreamSink } from './linked-stream.ts';
import type { LiveGraph } from './live-graph.ts';
import { SubgraphWaits } from './subgraph-waits.ts';
import type { Upstreams } from './upstreams.ts';

/** Cost of a stream that counts as one more event, for each of the stream's events. */
const COST_OF_EVENT = 20;
/** Cost of a stream above which its events are executed one at a time, with pauses. */
const COSTLY_ABOVE = 50;
/**
 * Maximum number of events with fields of other subgraphs that are executed together, and the maximum of
 * their costs. A row of a snapshot with another subgraph's field took 4.1 ms
 * of CPU time in all services alone, 0.9 ms with 15 others and 0.7 ms with 63 others.
 */
const TOGETHER = 32;
const TOGETHER_COST = 250;

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
   * @param isSlow whether to ask the subgraph to send the events with pauses
   */
  readonly subscribe: (
    cursor: () => string | undefined,
    sink: UpstreamSink,
    isSlow: boolean,
  ) => () => void;
  readonly takeMarks: (event: SubgraphAnswer) => EventMarks;
  /** Maximum number of events that are executed together. */
  readonly together: number;
  readonly execute: ExecuteEvents;
}

/**
 * Creates the run of a plan. The run subscribes to one subgraph for one identity and one set of forwarded
 * headers, and executes the events with the plan.
 */
export function createEventRun(
  {
    plan,
    variables,
    identity,
    headers,
    cost,
  }: {
    readonly plan: SubscriptionPlan;
    readonly variables: Readonly<Record<string, unknown>>;
    readonly identity: Identity;
    readonly headers?: ForwardedHeaders | undefined;
    /** The operation's cost, as `operationCost` returns it. */
    readonly cost: number;
  },
  graph: Pick<LiveGraph, 'execute'>,
  upstreams: Pick<Upstreams, 'of'>,
): EventRun {
  const { subgraph } = plan;
  const { query, operationName, cursorVariable, takeMarks } = plan.upstream;
  const { replaced } = plan;
  const planned = replaced ? toPlanVariables(variables, replaced) : variables;
  const forSubgraph = pick(planned, plan.variables);
  const upstream = upstreams.of(subgraph, identity, headers?.to(subgraph));
  // No client's trace is continued, because one execution serves all clients of the stream.
  const context = { forward: {}, identity, headers };
  const isCostly = cost > COSTLY_ABOVE;
  const waits = new SubgraphWaits();
  return {
    subgraph,
    origin: JSON.stringify([subgraph, upstream.wsUrl, query, operationName, forSubgraph]),
    weight: Math.max(1, Math.ceil(cost / COST_OF_EVENT)),
    isCostly,
    takeMarks,
    together: plan.isJoined && !isCostly ? eventsTogether(cost) : 1,
    execute: graph.execute(plan, variables, context, waits),
    subscribe: (cursor, sink, isSlow) =>
      upstream.subscribe(
        {
          query,
          operationName,
          isCostly,
          isSlow,
          variables: () => {
            const after = cursor();
            if (cursorVariable === undefined || after === undefined) return forSubgraph;
            return { ...forSubgraph, [cursorVariable]: after };
          },
        },
        replaced ? withClientPaths(sink, replaced) : sink,
      ),
  };
}

/** Lets a stream's errors name the client's fields. */
function withClientPaths(sink: UpstreamSink, replaced: ReplacedNames): UpstreamSink {
  return { ...sink, error: (errors) => sink.error(toClientErrors(errors, replaced)) };
}

function eventsTogether(cost: number): number {
  return Math.min(TOGETHER, Math.max(1, Math.floor(TOGETHER_COST / Math.max(cost, 1))));
}
