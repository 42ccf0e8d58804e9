import type { Logger } from '@gudang/runtime';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { presentErrors } from '../../errors/present-errors.ts';
import { badRequest, type RequestError } from '../../errors/request-error.ts';
import type { ByteAccount } from '../../limits/byte-account.ts';
import type { ReplayRate } from '../../limits/replay-rate.ts';
import { SubscriptionError } from '../planning/subscription-plan.ts';
import { createEventRun } from '../upstream/event-run.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';
import { EventTurns } from '../upstream/turns.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import { type CatchUpGate, createCatchUpGate } from './catch-up-gate.ts';
import type { QueueLimits } from './client-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { paced } from './pacing.ts';
import { SharedStream } from './shared-stream.ts';
import { type ClientSink, StreamClient } from './stream-client.ts';
import { canContinue, type LiveRequest, type Placement, placeRequest } from './stream-placement.ts';

/** A client's subscription to a stream. */
export interface LiveSubscription {
  readonly leave: () => void;
  /** Call when the client's socket accepts more data again. */
  readonly resume: () => void;
}

export interface LiveLimits {
  readonly queue: QueueLimits;
  /** Maximum number of concurrent catch-ups. */
  readonly catchUps: number;
  readonly replays: ReplayRate;
  /** Maximum number of payloads in a stream's last-value cache. */
  readonly retained: number;
  /** Maximum size of a stream's replay buffer in bytes. */
  readonly history: number;
}

interface RegistryOptions {
  readonly graph: LiveGraph;
  readonly upstreams: Upstreams;
  readonly limits: LiveLimits;
  readonly metrics: LiveMetrics;
  /** Called for each event of a subgraph, before any client receives the event. */
  readonly onEvent: () => void;
  readonly log: Logger;
}

/** A stream, its members and the graph that it uses. */
interface RegisteredStream {
  readonly stream: SharedStream;
  readonly members: Set<Member>;
  /** The placement with which the stream was started or last replanned. */
  placement: Placement;
  graph: LiveGraph;
}

interface Member {
  readonly request: LiveRequest;
  readonly client: StreamClient;
  joined: RegisteredStream | undefined;
}

/**
 * Pace of moves: at least 10 streams per step, and all within 20 s. Moves are spread over time
 * because each of them plans and resubscribes a stream.
 */
const MOVES = { atOnce: 10, spreadMs: 20_000 };
/**
 * Memory of a stream per character of its operation and variables, in bytes. An id of 36 characters that
 * a stream watches takes 254 bytes in the subgraph, and about 150 in the gateway.
 */
const BYTES_PER_CHARACTER = 10;
const NO_SUBSCRIPTION: LiveSubscription = { leave: () => {}, resume: () => {} };

/** All live streams of a gateway, for clients of every transport. */
export class StreamRegistry {
  readonly #options: RegistryOptions;
  readonly #gate: CatchUpGate;
  readonly #turns = new EventTurns();
  readonly #all = new Set<RegisteredStream>();
  /** Streams that new clients may join, by the key of the placement. */
  readonly #joinable = new Map<string, RegisteredStream>();
  #graph: LiveGraph;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#graph = options.graph;
    this.#gate = createCatchUpGate(options.limits.catchUps, options.limits.replays);
  }

  /**
   * Whether a client's caller has so many streams that further ones are started in pauses, and their
   * events count towards the rate limit of replayed events.
   */
  isMetered(account: ByteAccount): boolean {
    return this.#gate.isMetered(account.caller);
  }

  /** Starts a subscription. If the operation cannot run, the sink receives its errors. */
  subscribe(request: LiveRequest, sink: ClientSink): LiveSubscription {
    try {
      const placement = placeRequest(this.#graph, request);
      const { extension } = request;
      if (extension?.after !== undefined && placement.after === undefined) throw notResumable();
      const client = new StreamClient({
        sink,
        account: request.account,
        receivesMarkers: extension?.isPresent ?? false,
        receivesPositions: extension?.receivesPositions ?? false,
        limits: this.#options.limits.queue,
        metrics: this.#options.metrics,
        onEnded: () => this.#leave(member),
      });
      const member: Member = { request, client, joined: undefined };
      this.#join(member, placement);
      return {
        leave: () => {
          client.close();
          this.#leave(member);
        },
        resume: () => client.resume(),
      };
    } catch (error) {
      sink.error(this.#errorsOf(error));
      return NO_SUBSCRIPTION;
    }
  }

  /**
   * Replaces the graph. New subscriptions use the new graph at once. Running streams are replanned
   * step by step and resume from their last cursors. Operations that are invalid in the new graph
   * end with errors. Resolves when no stream uses an earlier graph.
   */
  async use(graph: LiveGraph): Promise<void> {
    this.#graph = graph;
    await paced(this.#all, (registered) => this.#move(registered), MOVES);
  }

  #join(member: Member, placement: Placement, after = placement.after): void {
    const outdated = this.#joinable.get(placement.key);
    if (outdated && outdated.graph !== this.#graph) this.#move(outdated);
    const existing = this.#joinable.get(placement.key);
    const joined =
      existing?.stream.isJoinable && canContinue(existing.placement, placement)
        ? existing
        : this.#start(placement, member.client.account);
    member.joined = joined;
    joined.members.add(member);
    joined.stream.join(member.client, after);
  }

  #leave(member: Member): void {
    const { joined } = member;
    member.joined = undefined;
    if (joined?.members.delete(member)) joined.stream.leave(member.client);
  }

  #start(placement: Placement, account: ByteAccount): RegisteredStream {
    const { key } = placement;
    const { conflates, cursorVariable } = placement.plan.upstream;
    const { limits, metrics, onEvent, upstreams } = this.#options;
    const registered: RegisteredStream = {
      graph: this.#graph,
      placement,
      members: new Set(),
      stream: new SharedStream({
        run: createEventRun(placement, this.#graph, upstreams),
        conflates,
        resumable: cursorVariable !== undefined,
        account,
        bytes: key.length * BYTES_PER_CHARACTER,
        turns: this.#turns,
        gate: this.#gate,
        limits,
        metrics,
        onEvent,
        onEnd: () => {
          this.#all.delete(registered);
          if (this.#joinable.get(key) === registered) this.#joinable.delete(key);
        },
      }),
    };
    this.#all.add(registered);
    this.#joinable.set(key, registered);
    return registered;
  }

  /**
   * Replans a stream with the current graph. A member whose new placement does not fit this stream
   * joins another stream instead, at the member's own cursor.
   */
  #move(registered: RegisteredStream): void {
    const graph = this.#graph;
    if (registered.graph === graph || !this.#all.has(registered)) return;
    registered.graph = graph;
    let staying: Placement | undefined;
    const others: [Member, Placement][] = [];
    for (const member of [...registered.members]) {
      try {
        const placement = placeRequest(graph, member.request);
        if (canContinue(registered.placement, placement)) staying ??= placement;
        else others.push([member, placement]);
      } catch (error) {
        const errors = this.#errorsOf(error);
        member.client.end((sink) => sink.error(errors));
      }
    }
    if (staying) {
      registered.placement = staying;
      registered.stream.move(createEventRun(staying, graph, this.#options.upstreams));
    }
    for (const [member, placement] of others) {
      const cursor = registered.stream.cursorOf(member.client);
      this.#leave(member);
      const isResumable = placement.plan.upstream.cursorVariable !== undefined;
      this.#join(member, placement, isResumable ? cursor : undefined);
    }
  }

  #errorsOf(error: unknown): readonly GraphQLFormattedError[] {
    return presentErrors(
      error instanceof SubscriptionError ? error.errors : [error as GraphQLError],
      this.#options.log,
    );
  }
}

function notResumable(): RequestError {
  return badRequest(
    "This subscription has no cursors, so it cannot continue after 'extensions.live.after': subscribe without it",
  );
}
