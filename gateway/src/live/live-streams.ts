import type { Logger } from '@gudang/service';
import { type GraphQLError, getVariableValues } from 'graphql';
import { findBadInput } from '../errors/bad-input.ts';
import { presentErrors } from '../errors/present-errors.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import type { EventExecutor } from './event-executor.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { type LiveStream, type StreamSubscriber, startLiveStream } from './live-stream.ts';
import type { ReadOperation } from './operation-reader.ts';
import {
  RefusedOperation,
  type SubscriptionPlan,
  type SubscriptionPlanner,
} from './subscription-plan.ts';
import type { Upstreams } from './upstream.ts';

/** All live streams of this gateway, whatever protocol their clients speak. */
export interface LiveStreams {
  /**
   * Begins a subscription; an operation that cannot run gives its subscriber the errors.
   * Returns how to leave it.
   */
  readonly subscribe: (
    read: ReadOperation,
    variables: Readonly<Record<string, unknown>>,
    subscriber: StreamSubscriber,
  ) => () => void;
}

export function createLiveStreams({
  supergraph,
  planner,
  upstreams,
  execute,
  metrics,
  log,
}: {
  supergraph: LoadedSupergraph;
  planner: SubscriptionPlanner;
  upstreams: Upstreams;
  execute: EventExecutor;
  metrics: LiveMetrics;
  log: Logger;
}): LiveStreams {
  /** The streams that can still be joined, by what they show. */
  const joinable = new Map<string, LiveStream>();

  const start = (
    key: string,
    plan: SubscriptionPlan,
    variables: Readonly<Record<string, unknown>>,
  ): LiveStream => {
    const { query, operationName } = plan;
    metrics.streams.inc();
    const stream: LiveStream = startLiveStream({
      subscribe: (sink) =>
        upstreams.subscribe(
          plan.subgraph,
          { query, operationName, variables: pick(variables, plan.variables) },
          sink,
        ),
      execute: (event) => execute(plan, variables, event),
      onEvent: () => metrics.events.inc(),
      onDelivered: (subscribers) => metrics.deliveries.inc(subscribers),
      onEnd: () => {
        metrics.streams.dec();
        if (joinable.get(key) === stream) joinable.delete(key);
      },
    });
    joinable.set(key, stream);
    return stream;
  };

  return {
    subscribe: (read, given, subscriber) => {
      try {
        const plan = planner(read);
        const variables = coerceVariables(supergraph, read, given);
        // Variables are coerced, so their JSON is the same whenever they mean the same.
        const key = `${plan.normalised}\n${JSON.stringify(variables)}`;
        const known = joinable.get(key);
        // What a subgraph sends at first may be the state to begin with: whoever comes after it
        // gets an upstream of its own.
        const stream = known?.joinable() ? known : start(key, plan, variables);
        return stream.join({
          ...subscriber,
          error: (errors) => subscriber.error(fromSubgraph(errors, plan.subgraph)),
        });
      } catch (error) {
        const errors = error instanceof RefusedOperation ? error.errors : [error as GraphQLError];
        subscriber.error(presentErrors(errors, log));
        return () => {};
      }
    },
  };
}

function fromSubgraph(
  errors: Parameters<StreamSubscriber['error']>[0],
  serviceName: string,
): Parameters<StreamSubscriber['error']>[0] {
  return errors.map((error) => ({ ...error, extensions: { ...error.extensions, serviceName } }));
}

function coerceVariables(
  { schema }: LoadedSupergraph,
  { document, operation }: ReadOperation,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  if (!errors) return coerced;
  const badInput = findBadInput(errors, document, schema);
  for (const error of errors) Object.assign(error.extensions, badInput.get(error));
  throw new RefusedOperation(errors);
}

function pick(
  from: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) if (Object.hasOwn(from, name)) picked[name] = from[name];
  return picked;
}
