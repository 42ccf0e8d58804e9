import { startSpan } from '@gudang/runtime/tracing';
import type { LivePayload } from '../upstream/live-payload.ts';
import {
  type EventRun,
  type LiveEvent,
  type StreamItem,
  type StreamSink,
  UpstreamSubscription,
} from '../upstream/upstream-subscription.ts';
import { CatchUp } from './catch-up.ts';
import type { CatchUpGate } from './catch-up-gate.ts';
import { LastValueCache } from './last-value-cache.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import { type ClientSink, inBatches, type StreamClient } from './stream-client.ts';

export interface StreamOptions {
  readonly run: EventRun;
  /** Whether a newer event may replace a waiting event of the same key. */
  readonly conflates: boolean;
  /** Whether a subscription can continue after a cursor. */
  readonly resumable: boolean;
  readonly limits: {
    /** Maximum number of payloads in the last-value cache. */
    readonly retained: number;
    /** Maximum number of characters of all payloads in the replay buffer. */
    readonly history: number;
  };
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
  readonly #replayBuffer: ReplayBuffer;
  readonly #lastValues: LastValueCache | undefined;
  readonly #upstream: UpstreamSubscription;
  #run: EventRun;
  #cursor: string | undefined;
  #isOver = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#run = options.run;
    this.#replayBuffer = new ReplayBuffer(options.limits.history);
    // A resumable stream needs no cache, because late subscribers can resume from a cursor.
    const cachesValues = options.conflates && !options.resumable;
    this.#lastValues = cachesValues ? new LastValueCache(options.limits.retained) : undefined;
    options.metrics.streams.inc();
    this.#upstream = this.#subscribe(undefined, {
      pass: (items) => this.#pass(items),
      error: (errors) => this.#endAll((sink) => sink.error(errors)),
      complete: () => this.#endAll((sink) => sink.complete()),
      overrun: () => this.#endAll((sink) => sink.lagged()),
    });
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
    const index = after === undefined ? undefined : this.#replayBuffer.findIndex(after);
    if (index !== undefined) this.#goLive(client, index, new Set(), 0);
    else if (after !== undefined) this.#catchUp(client, after);
    else {
      client.goLive(this.#upstream.seen, 0);
      this.#live.set(client, undefined);
      for (const batch of inBatches(this.#lastValues?.payloads() ?? [])) client.deliver(batch);
    }
  }

  leave(client: StreamClient): void {
    if (this.#isOver) return;
    this.#live.delete(client);
    for (const catchUp of this.#catchUps) {
      if (catchUp.clients.delete(client) && catchUp.clients.size === 0) this.#drop(catchUp);
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

  #subscribe(after: string | undefined, sink: StreamSink): UpstreamSubscription {
    const { conflates, metrics, onEvent } = this.#options;
    return new UpstreamSubscription({
      run: this.#run,
      after,
      conflates,
      onEvent: () => {
        metrics.events.inc();
        onEvent();
      },
      sink,
    });
  }

  #pass(items: readonly StreamItem[]): void {
    const payloads: LivePayload[] = [];
    for (const item of items) {
      if ('payload' in item) {
        if (this.#lastValues?.add(item.payload) ?? true) payloads.push(item.payload);
      } else if (item.position === undefined) this.#lastValues?.resubscribed();
    }
    this.#deliver(payloads);
    for (const item of items) {
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

  #deliver(payloads: readonly LivePayload[]): void {
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
   * Moves a client to `live`, where it continues after an entry of the replay buffer.
   * @param delivered cursors of events after the entry that the client has already received
   */
  #goLive(
    client: StreamClient,
    index: number,
    delivered: DeliveredCursors,
    droppedCount: number,
  ): void {
    client.goLive(this.#replayBuffer.seqAt(index) + delivered.size, droppedCount);
    this.#live.set(client, undefined);
    const missed = withoutDelivered(this.#replayBuffer.after(index), delivered);
    if (delivered.size > 0) this.#live.set(client, delivered);
    for (const batch of inBatches(missed)) client.deliver(batch);
  }

  #catchUp(client: StreamClient, after: string): void {
    const existing = this.#catchUpAfter.get(after);
    if (existing?.isJoinable) {
      existing.clients.add(client);
      return;
    }
    const catchUp = new CatchUp({
      after,
      gate: this.#options.gate,
      onTurn: (turned) => this.#serve(turned),
    });
    catchUp.clients.add(client);
    this.#catchUpAfter.set(after, catchUp);
    this.#catchUps.add(catchUp);
  }

  /** Opens a catch-up's upstream, unless the catch-up's cursor is already in the replay buffer. */
  #serve(catchUp: CatchUp): void {
    const { after, clients } = catchUp;
    const index = this.#replayBuffer.findIndex(after);
    if (index !== undefined) {
      this.#drop(catchUp);
      for (const client of clients) this.#goLive(client, index, new Set(), 0);
      return;
    }
    this.#options.metrics.catchUps.inc();
    const upstream = this.#subscribe(after, {
      pass: (items) => {
        catchUp.pass(items);
        this.#takeOver(catchUp);
      },
      error: (errors) => this.#endCatchUp(catchUp, (sink) => sink.error(errors)),
      complete: () => this.#endCatchUp(catchUp, (sink) => sink.complete()),
      overrun: () => this.#endCatchUp(catchUp, (sink) => sink.lagged()),
    });
    catchUp.serve(upstream);
  }

  /**
   * Moves a catch-up's clients to `live` if the catch-up and the stream have both delivered the
   * same cursor.
   */
  #takeOver(catchUp: CatchUp): void {
    const { buffer, clients } = catchUp;
    const stream = this.#replayBuffer;
    const common = [
      ...buffer.recentCursors().filter((cursor) => stream.findIndex(cursor) !== undefined),
      ...stream.recentCursors().filter((cursor) => buffer.findIndex(cursor) !== undefined),
    ];
    for (const cursor of common) {
      const index = buffer.findIndex(cursor) ?? 0;
      const seq = buffer.seqAt(index);
      const ahead = buffer.after(index);
      // In the catch-up, newer events have replaced events after this cursor. If the clients joined
      // here, the stream would deliver the replaced events after the newer ones.
      if (ahead.some((payload, offset) => payload.seq !== seq + offset + 1)) continue;
      const droppedCount = catchUp.droppedUpTo(seq);
      const delivered = ahead.flatMap((payload) => payload.cursor ?? []);
      this.#drop(catchUp);
      for (const client of clients) {
        this.#goLive(client, stream.findIndex(cursor) ?? 0, new Set(delivered), droppedCount);
      }
      return;
    }
  }

  #drop(catchUp: CatchUp): void {
    catchUp.close();
    this.#catchUps.delete(catchUp);
    if (this.#catchUpAfter.get(catchUp.after) === catchUp) {
      this.#catchUpAfter.delete(catchUp.after);
    }
  }

  #endCatchUp(catchUp: CatchUp, how: (sink: ClientSink) => void): void {
    const ending = [...catchUp.clients];
    catchUp.clients.clear();
    catchUp.close();
    for (const client of ending) client.end(how);
    this.#drop(catchUp);
    this.#finishIfEmpty();
  }

  #endAll(how: (sink: ClientSink) => void): void {
    const catchingUp = [...this.#catchUps].flatMap(({ clients }) => [...clients]);
    const ending = [...this.#live.keys(), ...catchingUp];
    this.#finish();
    for (const client of ending) client.end(how);
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
    this.#options.metrics.streams.dec();
    this.#options.onEnd();
  }
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
