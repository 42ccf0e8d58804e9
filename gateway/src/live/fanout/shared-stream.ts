import { startSpan } from '@gudang/runtime/tracing';
import { RequestError } from '../../errors/request-error.ts';
import type { ByteAccount, ByteHold } from '../../limits/byte-account.ts';
import type { EventRun } from '../upstream/event-run.ts';
import type { LivePayload } from '../upstream/live-payload.ts';
import type { EventTurns } from '../upstream/turns.ts';
import {
  type LiveEvent,
  type StreamItem,
  type StreamSink,
  UpstreamSubscription,
} from '../upstream/upstream-subscription.ts';
import { CatchUp } from './catch-up.ts';
import type { CatchUpGate, CatchUpOwner, Membership } from './catch-up-gate.ts';
import { LastValueCache } from './last-value-cache.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { ReplayBuffer, undelivered } from './replay-buffer.ts';
import { inBatches, type StreamClient } from './stream-client.ts';
import { StreamPositions } from './stream-positions.ts';

export interface StreamOptions {
  readonly run: EventRun;
  /** Whether a newer event may replace a waiting event of the same key. */
  readonly conflates: boolean;
  /** Whether a subscription can continue after a cursor. */
  readonly resumable: boolean;
  readonly limits: {
    /** Maximum number of payloads in the last-value cache. */
    readonly retained: number;
    /** Maximum size of the replay buffer in bytes. */
    readonly history: number;
  };
  /**
   * The account of the first client. The stream's memory counts there until other clients join;
   * then, it counts only towards what their accounts have in common.
   */
  readonly account: ByteAccount;
  /** Memory of the stream itself, in the gateway and in the subgraph, in bytes. */
  readonly bytes: number;
  readonly turns: EventTurns;
  readonly gate: CatchUpGate;
  readonly metrics: LiveMetrics;
  /** Called for each event, before any client receives the event. */
  readonly onEvent: () => void;
  /** Called once, when the stream is over: its last client has left, or its upstream has ended. */
  readonly onEnd: () => void;
}

/**
 * Cursors of events that a client has already received from its catch-up. The stream must not
 * deliver these events to the client again.
 */
type DeliveredCursors = Set<string>;

/**
 * A stream that shares one upstream subscription and one execution of each event among its clients.
 *
 * The stream moves its clients between the states of `ClientState`:
 *
 * - `join` without a cursor → `live`. The client first receives the last-value cache, if any.
 * - `join` with a cursor in the replay buffer → `live`. The client first receives the payloads
 *   after this cursor.
 * - `join` with any other cursor → `catchingUp`, in a catch-up shared by clients with the same
 *   cursor.
 * - The catch-up and the stream have both delivered the same cursor → `live`. The stream skips
 *   later events that the catch-up has already delivered to the client.
 * - The stream's upstream ends → `ended` for all clients.
 * - A catch-up's upstream ends → `ended` for the clients of this catch-up.
 *
 * Only the client itself changes to and from `lagging` (see `ClientState`). The stream ends when
 * its last client leaves.
 */
export class SharedStream {
  readonly #options: StreamOptions;
  readonly #live = new Map<StreamClient, DeliveredCursors | undefined>();
  readonly #catchUps = new Set<CatchUp>();
  /** The newest catch-up of each cursor, which new clients may join. */
  readonly #catchUpAfter = new Map<string, CatchUp>();
  readonly #account: ByteAccount;
  readonly #hold: ByteHold;
  readonly #replayBuffer: ReplayBuffer;
  readonly #lastValues: LastValueCache | undefined;
  readonly #positions = new StreamPositions();
  readonly #upstream: UpstreamSubscription;
  readonly #members = new Map<StreamClient, Membership>();
  /** Number of members whose callers have few streams. */
  #unmetered = 0;
  /** The caller to whom a metered stream's events count. */
  #payer: CatchUpOwner;
  /** Leaves the gate at which a paused stream waits. */
  #leaveGate: (() => void) | undefined;
  #run: EventRun;
  #cursor: string | undefined;
  /** Whether the last event must be delivered together with the next one; see `LivePayload.more`. */
  #isInGroup = false;
  /** Time of the last event, by `performance.now()`. */
  #deliveredAt = performance.now();
  #isOver = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#run = options.run;
    const { limits } = options;
    this.#account = options.account.stream({
      onEvict: () => this.#endAll((client) => client.lag()),
      onShrink: () => {
        this.#replayBuffer.shrink();
        this.#lastValues?.discard();
      },
    });
    this.#hold = this.#account.hold('streams');
    if (!this.#hold.reserve(options.bytes)) {
      this.#account.close();
      throw tooManyStreams();
    }
    this.#payer = options.account.caller;
    this.#replayBuffer = new ReplayBuffer(limits.history, this.#account.hold('replay'));
    // A resumable stream needs no cache, because late subscribers can resume from a cursor.
    if (options.conflates && !options.resumable) {
      this.#lastValues = new LastValueCache(limits.retained, this.#account.hold('lastValues'));
    }
    options.metrics.streams.inc();
    this.#upstream = this.#subscribe(
      { after: undefined, account: this.#account },
      {
        pass: (items) => this.#pass(items),
        drained: () => this.#continue(),
        error: (errors) => this.#endAll((client) => client.end((sink) => sink.error(errors))),
        complete: () => this.#endAll((client) => client.end((sink) => sink.complete())),
        overrun: () => this.#endAll((client) => client.lag()),
      },
    );
  }

  /**
   * Whether new clients may join. After the first event, a client may join only a resumable stream
   * or a stream with a complete last-value cache; otherwise, the client would miss events.
   */
  get isJoinable(): boolean {
    if (this.#isOver) return false;
    if (this.#options.resumable || this.#upstream.seen === 0) return true;
    return this.#lastValues?.payloads() !== undefined;
  }

  /**
   * Adds a client.
   * @param after cursor after which the client continues; if undefined, the client receives the
   * last-value cache, if any, and new events
   */
  join(client: StreamClient, after: string | undefined): void {
    this.#account.share(client.account);
    const member = this.#options.gate.joinStream(client.account.caller, this.#run.weight);
    this.#members.set(client, member);
    if (!member.isMetered) this.#unmetered += 1;
    if (this.#leaveGate && !this.#isMetered) this.#resumeUpstream();
    if (after !== undefined) {
      if (!this.#goLive([client], after)) this.#catchUp(client, after);
    } else {
      client.goLive(this.#upstream.seen);
      this.#live.set(client, undefined);
      for (const batch of inBatches(this.#lastValues?.payloads() ?? [])) client.deliver(batch);
      if (client.receivesPositions) {
        this.#positions.joined(client, this.#replayBuffer.recentCursors()[0]);
      }
    }
  }

  leave(client: StreamClient): void {
    if (this.#isOver) return;
    const member = this.#members.get(client);
    if (this.#members.delete(client) && !member?.isMetered) this.#unmetered -= 1;
    member?.leave();
    this.#live.delete(client);
    this.#positions.left(client);
    for (const catchUp of this.#catchUps) {
      if (!catchUp.clients.delete(client)) continue;
      client.onReady = undefined;
      if (catchUp.clients.size === 0) this.#drop(catchUp);
    }
    this.#finishIfEmpty();
  }

  /** Returns the cursor after a client's last event; undefined before the first event. */
  cursorOf(client: StreamClient): string | undefined {
    for (const { clients, cursor } of this.#catchUps) if (clients.has(client)) return cursor;
    // The order of the set is the order of delivery, so the last cursor is the newest.
    return [...(this.#live.get(client) ?? [])].at(-1) ?? this.#cursor;
  }

  /** Continues the stream with another run, from the last cursor. */
  move(run: EventRun): void {
    this.#run = run;
    this.#upstream.move(run);
    for (const catchUp of this.#catchUps) catchUp.move(run);
  }

  #subscribe(
    {
      after,
      account,
      isSlow = false,
    }: { after: string | undefined; account: ByteAccount; isSlow?: boolean },
    sink: StreamSink,
  ): UpstreamSubscription {
    const { conflates, metrics, onEvent, resumable, turns } = this.#options;
    return new UpstreamSubscription({
      run: this.#run,
      after,
      conflates,
      resumable,
      account,
      turns,
      isPatient: after !== undefined || this.#run.isCostly,
      isSlow,
      onEvent: () => {
        metrics.events.inc();
        onEvent();
      },
      onPause: () => metrics.pauses.inc(),
      sink,
    });
  }

  /** Whether the events count, because the callers of all clients have many streams. */
  get #isMetered(): boolean {
    return this.#unmetered === 0 && this.#members.size > 0;
  }

  /** Counts events to one of the callers. @returns false if none of them may receive more */
  #pay(events: number): boolean {
    const { gate } = this.#options;
    if (gate.replayed(this.#payer, events * this.#run.weight)) return true;
    for (const { owner } of this.#members.values()) {
      this.#payer = owner;
      if (gate.replayed(owner, 0)) return true;
    }
    return false;
  }

  /** Continues after a pause; a metered stream waits until its caller may receive more events. */
  #continue(): void {
    if (!this.#isMetered) this.#resumeUpstream();
    else {
      this.#leaveGate ??= this.#options.gate.enter(this.#payer, this.#run, () =>
        queueMicrotask(() => this.#resumeUpstream()),
      );
    }
  }

  #resumeUpstream(): void {
    this.#leaveGate?.();
    this.#leaveGate = undefined;
    this.#upstream.resume();
  }

  #pass(items: readonly StreamItem[]): void {
    let payloads: LivePayload[] = [];
    let announced = 0;
    for (const item of items) {
      if ('payload' in item) {
        if (this.#lastValues?.add(item.payload) ?? true) payloads.push(item.payload);
        this.#isInGroup = item.payload.more;
      } else if ('phase' in item) {
        announced += payloads.length;
        this.#deliver(payloads);
        payloads = [];
        for (const client of this.#live.keys()) client.announce(item);
      } else if (item.position === undefined) this.#lastValues?.resubscribed();
      else if (
        item.position !== null &&
        !this.#isInGroup &&
        this.#positions.isDue(this.#deliveredAt)
      ) {
        announced += payloads.length;
        this.#deliver(payloads);
        payloads = [];
        this.#positions.report(item.position, this.#clientsAtStream(), this.#deliveredAt);
      }
    }
    this.#deliver(payloads);
    if (this.#isMetered && !this.#pay(announced + payloads.length)) this.#upstream.pause();
    for (const item of items) {
      if ('phase' in item) continue;
      // Delivering to slow clients may have ended the stream, because its memory was needed.
      if (this.#isOver) return;
      if ('payload' in item) {
        this.#observe(item);
        if (this.#options.resumable) {
          this.#replayBuffer.add(item.payload, item.reportsPositions);
        }
      } else this.#replayBuffer.report(item.position, item.seq);
      this.#cursor = ('payload' in item ? item.payload.cursor : item.position) ?? this.#cursor;
    }
    for (const catchUp of this.#catchUps) this.#takeOver(catchUp);
  }

  /** The live clients that have not received events of the stream ahead of it, from a catch-up. */
  *#clientsAtStream(): Generator<StreamClient> {
    for (const [client, delivered] of this.#live) if (!delivered) yield client;
  }

  #deliver(payloads: readonly LivePayload[]): void {
    if (payloads.length > 0) this.#deliveredAt = performance.now();
    const batches = inBatches(payloads);
    for (const [client, delivered] of this.#live) {
      if (!delivered) for (const batch of batches) client.deliver(batch);
      else {
        const unseen = withoutDelivered(payloads, delivered);
        const isPast = unseen.some(({ cursor }) => cursor !== undefined);
        if (isPast || delivered.size === 0) this.#live.set(client, undefined);
        for (const batch of inBatches(unseen)) client.deliver(batch);
      }
    }
  }

  #observe({ arrived, payload: { traceparent: parent } }: LiveEvent): void {
    const tookMs = performance.now() - arrived;
    this.#options.metrics.eventSeconds.observe(tookMs / 1000);
    if (parent === undefined) return;
    const from = Date.now() - tookMs;
    startSpan(`push ${this.#run.subgraph}`, { kind: 'producer', parent, from })?.end();
  }

  /**
   * Moves clients to `live`, where they continue after a cursor of the replay buffer.
   * @param delivered cursors of events after this cursor that the clients have already received
   * @returns false if they cannot move, because a payload that they have not received was dropped
   */
  #goLive(
    clients: Iterable<StreamClient>,
    cursor: string,
    delivered: readonly string[] = [],
  ): boolean {
    const index = this.#replayBuffer.findIndex(cursor);
    if (index === undefined) return false;
    const ahead = new Set(delivered);
    const seq = this.#replayBuffer.seqAt(index) + ahead.size;
    const missed = undelivered(this.#replayBuffer.after(index), (one) => ahead.delete(one));
    if (!missed) return false;
    const batches = inBatches(missed);
    const position =
      ahead.size > 0 ? delivered.at(-1) : positionAfter(missed, delivered.at(-1) ?? cursor);
    for (const client of clients) {
      client.goLive(seq);
      this.#live.set(client, ahead.size > 0 ? new Set(ahead) : undefined);
      for (const batch of batches) client.deliver(batch);
      this.#positions.joined(client, position);
    }
    return true;
  }

  #catchUp(client: StreamClient, after: string): void {
    const existing = this.#catchUpAfter.get(after);
    if (existing?.isJoinable) {
      existing.add(client);
      return;
    }
    const catchUp = new CatchUp({
      after,
      first: client,
      events: this.#run,
      gate: this.#options.gate,
      onTurn: (turned) => this.#serve(turned),
      onEvict: (evicted) => this.#endCatchUp(evicted, (client) => client.lag()),
    });
    this.#catchUpAfter.set(after, catchUp);
    this.#catchUps.add(catchUp);
  }

  /**
   * Opens or continues a catch-up's upstream, unless the clients can move to the stream: the
   * catch-up's cursor, or another common one, is in the replay buffer.
   */
  #serve(catchUp: CatchUp): void {
    const { after } = catchUp;
    const clients = [...catchUp.clients];
    if (catchUp.isJoinable && this.#goLive(clients, after)) this.#drop(catchUp);
    else if (!this.#takeOver(catchUp)) catchUp.serve(() => this.#openCatchUp(catchUp));
  }

  #openCatchUp(catchUp: CatchUp): UpstreamSubscription {
    this.#options.metrics.catchUps.inc();
    const { after, account, clients } = catchUp;
    const isSlow = [...clients].every((client) => this.#members.get(client)?.isMetered);
    return this.#subscribe(
      { after, account, isSlow },
      {
        pass: (items) => {
          catchUp.pass(items);
          this.#takeOver(catchUp);
        },
        drained: () => catchUp.drained(),
        error: (errors) =>
          this.#endCatchUp(catchUp, (client) => client.end((sink) => sink.error(errors))),
        complete: () =>
          this.#endCatchUp(catchUp, (client) => client.end((sink) => sink.complete())),
        overrun: () => this.#endCatchUp(catchUp, (client) => client.lag()),
      },
    );
  }

  /**
   * Moves a catch-up's clients to `live` if the catch-up and the stream have both delivered the
   * same cursor.
   * @returns whether they have moved
   */
  #takeOver(catchUp: CatchUp): boolean {
    const { cursors, clients } = catchUp;
    const stream = this.#replayBuffer;
    const common = [
      ...cursors.recentCursors().filter((cursor) => stream.findIndex(cursor) !== undefined),
      ...stream.recentCursors().filter((cursor) => cursors.findIndex(cursor) !== undefined),
    ];
    for (const cursor of common) {
      const index = cursors.findIndex(cursor) ?? 0;
      const seq = cursors.seqAt(index);
      const ahead = cursors.after(index);
      // In the catch-up, newer events have replaced events after this cursor. If the clients joined
      // here, the stream would deliver the replaced events after the newer ones.
      if (ahead.some((event, offset) => event.seq !== seq + offset + 1)) continue;
      // The clients must first receive the event that has replaced an earlier one, and thus its count.
      if (catchUp.hasDroppedUpTo(seq)) continue;
      const delivered = ahead.flatMap((event) => event.cursor ?? []);
      if (!this.#goLive([...clients], cursor, delivered)) continue;
      this.#drop(catchUp);
      return true;
    }
    return false;
  }

  #drop(catchUp: CatchUp): void {
    catchUp.close();
    this.#catchUps.delete(catchUp);
    if (this.#catchUpAfter.get(catchUp.after) === catchUp) {
      this.#catchUpAfter.delete(catchUp.after);
    }
  }

  #endCatchUp(catchUp: CatchUp, end: (client: StreamClient) => void): void {
    const ending = [...catchUp.clients];
    catchUp.clients.clear();
    catchUp.close();
    for (const client of ending) end(client);
    this.#drop(catchUp);
    this.#finishIfEmpty();
  }

  #endAll(end: (client: StreamClient) => void): void {
    const catchingUp = [...this.#catchUps].flatMap(({ clients }) => [...clients]);
    const ending = [...this.#live.keys(), ...catchingUp];
    this.#finish();
    for (const client of ending) end(client);
  }

  #finishIfEmpty(): void {
    if (this.#live.size === 0 && this.#catchUps.size === 0) this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#live.clear();
    for (const catchUp of this.#catchUps) this.#drop(catchUp);
    this.#upstream.close();
    this.#leaveGate?.();
    for (const member of this.#members.values()) member.leave();
    this.#members.clear();
    this.#hold.releaseAll();
    this.#replayBuffer.close();
    this.#lastValues?.discard();
    this.#account.close();
    this.#options.metrics.streams.dec();
    this.#options.onEnd();
  }
}

function tooManyStreams(): RequestError {
  return new RequestError(
    503,
    'The gateway holds too much data for this client: subscribe to fewer streams, or with fewer ids',
    { code: 'OVERLOADED', retryable: true },
  );
}

/**
 * Returns the payloads whose cursor is not in `delivered`. Each cursor that is found there is
 * removed from `delivered`.
 */
function withoutDelivered(
  payloads: readonly LivePayload[],
  delivered: DeliveredCursors,
): readonly LivePayload[] {
  return payloads.filter(({ cursor }) => cursor === undefined || !delivered.delete(cursor));
}

/** Returns the cursor after payloads; undefined if a client must not resume after the last one. */
function positionAfter(payloads: readonly LivePayload[], before: string): string | undefined {
  if (payloads.at(-1)?.more) return undefined;
  return payloads.findLast(({ cursor }) => cursor !== undefined)?.cursor ?? before;
}
