import type { Logger } from '@gudang/runtime';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { presentErrors } from '../../errors/present-errors.ts';
import { RefusedOperation } from '../planning/subscription-plan.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { createCatchUpGate } from './catch-up-gate.ts';
import type { QueueLimits } from './client-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { paced } from './pacing.ts';
import { type SharedStream, startSharedStream } from './shared-stream.ts';
import { createStreamClient, type Outlet, type StreamClient } from './stream-client.ts';
import { type LiveRequest, type Placement, placeRequest } from './stream-placement.ts';

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
  /**
   * Everything runs on this graph from now on: new subscriptions at once, the streams that run one
   * after the other, each from where it is. Operations that it does not take end with the errors.
   * Resolves when no stream runs on an earlier graph.
   */
  readonly use: (graph: LiveGraph) => Promise<void>;
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

/** A stream with those in it, and what it runs on. */
interface Running {
  readonly stream: SharedStream;
  readonly members: Set<Member>;
  graph: LiveGraph;
}

interface Member {
  readonly request: LiveRequest;
  readonly client: StreamClient;
  running: Running | undefined;
}

/** Moving takes planning and a new subscription: so few at once, and the last after so long. */
const MOVES = { atOnce: 10, spreadMs: 20_000 };
const NOWHERE: LiveSubscription = { leave: () => {}, resume: () => {} };

export function createLiveStreams({
  graph: first,
  upstreams,
  limits,
  metrics,
  onEvent,
  log,
}: {
  graph: LiveGraph;
  upstreams: Upstreams;
  limits: LiveLimits;
  metrics: LiveMetrics;
  /** An event has come from a subgraph and has not been shown to anybody yet. */
  onEvent: () => void;
  log: Logger;
}): LiveStreams {
  let graph = first;
  const all = new Set<Running>();
  /** The streams that can still be joined, by what they show. */
  const joinable = new Map<string, Running>();
  const gate = createCatchUpGate(limits.catchUps);

  const errorsOf = (error: unknown): readonly GraphQLFormattedError[] =>
    presentErrors(error instanceof RefusedOperation ? error.errors : [error as GraphQLError], log);

  const start = (placement: Placement): Running => {
    const { key } = placement;
    const running: Running = {
      graph,
      members: new Set(),
      stream: startSharedStream({
        placement,
        graph,
        upstreams,
        gate,
        limits,
        metrics,
        onEvent,
        onEnd: () => {
          all.delete(running);
          if (joinable.get(key) === running) joinable.delete(key);
        },
      }),
    };
    all.add(running);
    joinable.set(key, running);
    return running;
  };

  const enter = (member: Member, placement: Placement, after = placement.after): void => {
    const known = joinable.get(placement.key);
    if (known && known.graph !== graph) move(known);
    const found = joinable.get(placement.key);
    const running =
      found?.stream.fits(placement) && found.stream.joinable() ? found : start(placement);
    member.running = running;
    running.members.add(member);
    running.stream.join(member.client, after);
  };
  const leave = (member: Member): void => {
    const { running } = member;
    member.running = undefined;
    if (!running?.members.delete(member)) return;
    running.stream.leave(member.client);
  };

  /** To the graph of today; whom it places elsewhere goes there from where they are. */
  const move = (running: Running): void => {
    if (running.graph === graph || !all.has(running)) return;
    running.graph = graph;
    let staying: Placement | undefined;
    const others: [Member, Placement][] = [];
    for (const member of [...running.members]) {
      try {
        const placement = placeRequest(graph, member.request);
        if (running.stream.fits(placement)) staying ??= placement;
        else others.push([member, placement]);
      } catch (error) {
        const errors = errorsOf(error);
        member.client.end((outlet) => outlet.error(errors));
      }
    }
    if (staying) running.stream.move(staying, graph);
    for (const [member, placement] of others) {
      const cursor = running.stream.cursorOf(member.client);
      leave(member);
      const resumes = placement.plan.upstream.cursorVariable !== undefined;
      enter(member, placement, resumes ? cursor : undefined);
    }
  };

  return {
    use: async (next) => {
      graph = next;
      await paced(all, move, MOVES);
    },
    subscribe: (request, outlet) => {
      try {
        const placement = placeRequest(graph, request);
        const client = createStreamClient({
          outlet,
          limits: limits.queue,
          metrics,
          onOver: () => leave(member),
        });
        const member: Member = { request, client, running: undefined };
        enter(member, placement);
        return {
          leave: () => {
            client.close();
            leave(member);
          },
          resume: () => client.resume(),
        };
      } catch (error) {
        outlet.error(errorsOf(error));
        return NOWHERE;
      }
    },
  };
}
