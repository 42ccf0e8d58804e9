import { startSpan } from '@gudang/runtime/tracing';
import type { GraphQLFormattedError } from 'graphql';
import { pick } from '../planning/stream-variables.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';
import { type EventRun, startEventSource } from '../upstream/upstream-subscription.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { CatchUpGate } from './catch-up-gate.ts';
import { createRetained } from './last-value-cache.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { type LiveStream, startLiveStream } from './live-stream.ts';
import type { Placement } from './stream-placement.ts';

/** The stream of all who asked for the same. */
export interface SharedStream extends Pick<LiveStream, 'joinable' | 'join' | 'leave' | 'cursorOf'> {
  /** Whether a stream so placed could go on in place of this one. */
  readonly fits: (placement: Placement) => boolean;
  /** Goes on with the plan of a placement that fits. */
  readonly move: (placement: Placement, graph: LiveGraph) => void;
}

export function startSharedStream({
  placement: first,
  graph,
  upstreams,
  gate,
  limits,
  metrics,
  onEvent,
  onEnd,
}: {
  placement: Placement;
  graph: LiveGraph;
  upstreams: Upstreams;
  gate: CatchUpGate;
  limits: { readonly retained: number; readonly history: number };
  metrics: LiveMetrics;
  onEvent: () => void;
  onEnd: () => void;
}): SharedStream {
  const { key } = first;
  const { conflates, cursorVariable, query } = first.plan.upstream;
  const resumable = cursorVariable !== undefined;
  const retains = conflates && !resumable;
  let { subgraph } = first.plan;
  let run = createRun(first, graph, upstreams);
  metrics.streams.inc();
  const stream = startLiveStream({
    resumable,
    retained: retains ? createRetained(limits.retained) : undefined,
    gate,
    history: limits.history,
    mustBeTold: () => run.tells(),
    open: (after, sink) => {
      if (after !== undefined) metrics.catchUps.inc();
      return startEventSource({
        after,
        conflates,
        run,
        onEvent: () => {
          metrics.events.inc();
          onEvent();
        },
        sink: { ...sink, error: (errors) => sink.error(fromSubgraph(errors, subgraph)) },
      });
    },
    onDelivered: ({ arrived, payload: { traceparent: parent } }) => {
      const tookMs = performance.now() - arrived;
      metrics.eventSeconds.observe(tookMs / 1000);
      if (parent === undefined) return;
      startSpan(`push ${subgraph}`, { kind: 'producer', parent, from: Date.now() - tookMs })?.end();
    },
    onEnd: () => {
      metrics.streams.dec();
      onEnd();
    },
  });
  return {
    joinable: stream.joinable,
    join: stream.join,
    leave: stream.leave,
    cursorOf: stream.cursorOf,
    fits: ({ key: other, plan: { upstream } }) =>
      other === key &&
      upstream.conflates === conflates &&
      (upstream.cursorVariable !== undefined) === resumable &&
      // What is retained under another key would never be replaced.
      (!retains || upstream.query === query),
    move: (placement, next) => {
      subgraph = placement.plan.subgraph;
      run = createRun(placement, next, upstreams);
      stream.move(run);
    },
  };
}

function createRun(
  { plan, variables, identity }: Placement,
  graph: LiveGraph,
  upstreams: Upstreams,
): EventRun & { readonly tells: () => boolean } {
  const { query, operationName, cursorVariable, takeMarks } = plan.upstream;
  const forSubgraph = pick(variables, plan.variables);
  const upstream = upstreams.of(plan.subgraph, identity);
  // Not the headers of any one client: an execution is for all of them.
  const context = { forward: {}, identity };
  return {
    origin: JSON.stringify([plan.subgraph, upstream.wsUrl, query, operationName, forSubgraph]),
    tells: upstream.tells,
    takeMarks,
    execute: (event) => graph.execute(plan, variables, event, context),
    subscribe: (cursor, sink) =>
      upstream.subscribe(
        {
          query,
          operationName,
          variables: () => {
            const from = cursor();
            if (cursorVariable === undefined || from === undefined) return forSubgraph;
            return { ...forSubgraph, [cursorVariable]: from };
          },
        },
        sink,
      ),
  };
}

function fromSubgraph(
  errors: readonly GraphQLFormattedError[],
  serviceName: string,
): readonly GraphQLFormattedError[] {
  return errors.map((error) => ({ ...error, extensions: { ...error.extensions, serviceName } }));
}
