import type { Logger } from '@gudang/service';
import type { GraphQLError } from 'graphql';
import { presentErrors } from '../errors/present-errors.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { createCatchUpGate } from './catch-up-gate.ts';
import type { QueueLimits } from './client-queue.ts';
import type { EventExecutor } from './event-executor.ts';
import { startEventSource } from './event-source.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { type LiveStream, startLiveStream } from './live-stream.ts';
import type { ReadOperation } from './operation-reader.ts';
import { createRetained } from './retained.ts';
import { createStreamClient, type Outlet } from './stream-client.ts';
import { coerceVariables, cursorOf, pick } from './stream-variables.ts';
import {
  RefusedOperation,
  type SubscriptionPlan,
  type SubscriptionPlanner,
} from './subscription-plan.ts';
import type { Upstreams } from './upstream.ts';

export interface LiveRequest {
  readonly read: ReadOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The cursor to go on from, in place of the operation's own. */
  readonly after?: string | undefined;
  /** Who may see what the stream shows: streams are shared within one scope only. */
  readonly scope?: string | undefined;
}

/** A client's place in a stream. */
export interface LiveSubscription {
  readonly leave: () => void;
  /** To be called when the client's socket takes more again. */
  readonly resume: () => void;
}

/** All live streams of this gateway, whatever protocol their clients speak. */
export interface LiveStreams {
  /** Begins a subscription; an operation that cannot run gives its outlet the errors. */
  readonly subscribe: (request: LiveRequest, outlet: Outlet) => LiveSubscription;
}

export interface LiveLimits {
  readonly queue: QueueLimits;
  /** Catch-ups that run at a time. */
  readonly catchUps: number;
  /** Payloads that a conflated stream without cursors keeps for late joiners. */
  readonly retained: number;
  /** Characters of payloads that a stream keeps for clients that come back. */
  readonly history: number;
}

const NOWHERE: LiveSubscription = { leave: () => {}, resume: () => {} };

export function createLiveStreams({
  supergraph,
  planner,
  upstreams,
  execute,
  limits,
  metrics,
  log,
}: {
  supergraph: LoadedSupergraph;
  planner: SubscriptionPlanner;
  upstreams: Upstreams;
  execute: EventExecutor;
  limits: LiveLimits;
  metrics: LiveMetrics;
  log: Logger;
}): LiveStreams {
  /** The streams that can still be joined, by what they show. */
  const joinable = new Map<string, LiveStream>();
  const gate = createCatchUpGate(limits.catchUps);

  const start = (
    key: string,
    plan: SubscriptionPlan,
    variables: Readonly<Record<string, unknown>>,
  ): LiveStream => {
    const { upstream } = plan;
    const { cursorVariable, query, operationName } = upstream;
    const resumable = cursorVariable !== undefined;
    const retained = upstream.conflates && !resumable ? createRetained(limits.retained) : undefined;
    const forSubgraph = pick(variables, plan.variables);
    metrics.streams.inc();
    const stream: LiveStream = startLiveStream({
      resumable,
      retained,
      gate,
      history: limits.history,
      mustBeTold: () => upstreams.tells(plan.subgraph),
      open: (after, sink) => {
        let begun = 0;
        if (after !== undefined) metrics.catchUps.inc();
        return startEventSource({
          after,
          conflates: upstream.conflates,
          takeMarks: upstream.takeMarks,
          execute: (event) => execute(plan, variables, event),
          onEvent: () => metrics.events.inc(),
          sink: {
            ...sink,
            error: (errors) => sink.error(fromSubgraph(errors, plan.subgraph)),
          },
          subscribe: (cursor, upstreamSink) =>
            upstreams.subscribe(
              plan.subgraph,
              {
                query,
                operationName,
                variables: () => {
                  begun += 1;
                  if (begun > 1) retained?.begunAgain();
                  const from = cursor();
                  if (cursorVariable === undefined || from === undefined) return forSubgraph;
                  return { ...forSubgraph, [cursorVariable]: from };
                },
              },
              upstreamSink,
            ),
        });
      },
      onDelivered: ({ arrived }) =>
        metrics.eventSeconds.observe((performance.now() - arrived) / 1000),
      onEnd: () => {
        metrics.streams.dec();
        if (joinable.get(key) === stream) joinable.delete(key);
      },
    });
    joinable.set(key, stream);
    return stream;
  };

  return {
    subscribe: ({ read, variables: given, after, scope = '' }, outlet) => {
      try {
        const plan = planner(read);
        const coerced = coerceVariables(supergraph, read, given);
        const variables = pick(coerced, plan.streamVariables);
        // Variables are coerced, so their JSON is the same whenever they mean the same.
        const key = `${scope}\n${plan.normalised}\n${JSON.stringify(variables)}`;
        const known = joinable.get(key);
        const stream = known?.joinable() ? known : start(key, plan, variables);
        const client = createStreamClient({
          outlet,
          limits: limits.queue,
          metrics,
          onOver: () => stream.leave(client),
        });
        const resumes = plan.upstream.cursorVariable !== undefined;
        stream.join(client, resumes ? (after ?? cursorOf(plan, coerced)) : undefined);
        return {
          leave: () => {
            client.close();
            stream.leave(client);
          },
          resume: client.resume,
        };
      } catch (error) {
        const errors = error instanceof RefusedOperation ? error.errors : [error as GraphQLError];
        outlet.error(presentErrors(errors, log));
        return NOWHERE;
      }
    },
  };
}

function fromSubgraph(
  errors: Parameters<Outlet['error']>[0],
  serviceName: string,
): Parameters<Outlet['error']>[0] {
  return errors.map((error) => ({ ...error, extensions: { ...error.extensions, serviceName } }));
}
