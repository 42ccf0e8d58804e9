import type { GraphQLFormattedError } from 'graphql';
import type { LivePayload } from '../upstream/live-payload.ts';
import { type ClientQueue, createClientQueue, type QueueLimits } from './client-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';

/** Maximum characters written to a socket at once; it may become full between two chunks. */
const CHUNK = 64 * 1024;

/**
 * Writes a stream to one client in its protocol. Every method except `ready` and `write` ends the
 * stream.
 */
export interface ClientSink {
  /** Whether the socket accepts more data without buffering. */
  readonly ready: () => boolean;
  /** @param conflated the conflated count of each payload; absent: all are 0 */
  readonly write: (payloads: readonly LivePayload[], conflated?: readonly number[]) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
  /** The client reads too slowly for a stream that must not drop events. */
  readonly lagged: () => void;
}

/** Payloads that are written to a socket together. */
export interface Batch {
  readonly payloads: readonly LivePayload[];
  /** Whether a payload replaced older ones. */
  readonly isConflated: boolean;
}

/** Splits payloads into batches of one chunk each. */
export function inBatches(payloads: readonly LivePayload[]): Batch[] {
  const batches: LivePayload[][] = [];
  let size = 0;
  for (const payload of payloads) {
    const batch = batches.at(-1);
    if (!batch || size + payload.json.length > CHUNK) {
      batches.push([payload]);
      size = 0;
    } else batch.push(payload);
    size += payload.json.length;
  }
  return batches.map((batch) => ({
    payloads: batch,
    isConflated: batch.some(({ replaced }) => replaced.length > 0),
  }));
}

/**
 * States of a client of a shared stream.
 *
 * - `catchingUp`: the client resumes from a cursor that is not in the replay buffer. A catch-up
 *   serves it. → `live` at the first cursor that the catch-up and the stream have in common.
 * - `live`: every payload of the stream is written to the client's socket at once.
 * - `lagging`: the socket is full, so payloads wait in the client's queue, where a newer one
 *   replaces an older one of the same key. Reached from `catchingUp` and `live`; → the previous
 *   state once the queue is empty. → `ended` when the queue exceeds a limit: the client has lagged.
 * - `ended`: final. The stream has ended (after the last payload that waits), the client has
 *   lagged, or it has left. Nothing more is written.
 */
export type ClientState = 'catchingUp' | 'live' | 'lagging' | 'ended';

interface ClientOptions {
  readonly sink: ClientSink;
  readonly limits: QueueLimits;
  readonly metrics: LiveMetrics;
  /** Called once, when the client has lagged or its end has been written. */
  readonly onEnded: () => void;
}

/**
 * One client of a shared stream. A class whose queue exists only while the client lags: each
 * delivery reads a client's state that is in no cache of the processor. With nested closures this
 * read took 3 of a delivery's 16 µs.
 */
export class StreamClient {
  readonly #sink: ClientSink;
  readonly #options: ClientOptions;
  #queue: ClientQueue | undefined;
  #ending: ((sink: ClientSink) => void) | undefined;
  #hasEnded = false;
  #isLive = false;
  /** Events dropped for this client so far that the next payload's conflated count must include. */
  #droppedCount = 0;
  /** The client receives only events of the stream after this number. */
  #since = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#sink = options.sink;
  }

  get state(): ClientState {
    if (this.#hasEnded) return 'ended';
    if (this.#queueSize > 0) return 'lagging';
    return this.#isLive ? 'live' : 'catchingUp';
  }

  /**
   * Enters `live`: the client receives the stream's events after `seq`.
   * @param droppedCount events up to `seq` whose replacements come later
   */
  goLive(seq: number, droppedCount: number): void {
    this.#isLive = true;
    this.#since = seq;
    this.#droppedCount += droppedCount;
  }

  /** Writes a batch, or queues it while the socket is full. */
  deliver(batch: Batch): void {
    if (this.#hasEnded || this.#ending) return;
    const isCurrent = this.#droppedCount === 0 && this.#queueSize === 0;
    if (isCurrent && !batch.isConflated && this.#sink.ready()) {
      this.#write(batch.payloads);
      return;
    }
    for (const payload of batch.payloads) {
      if (this.#enqueue(payload)) continue;
      this.#lag();
      return;
    }
  }

  /** Call when the socket accepts more data again. */
  resume(): void {
    while (!this.#hasEnded && this.#queueSize > 0 && this.#sink.ready()) this.#writeChunk();
    const ending = this.#ending;
    if (!ending || this.#hasEnded || this.#queueSize > 0) return;
    this.#finish();
    ending(this.#sink);
  }

  /** Ends the client after its queued payloads. */
  end(how: (sink: ClientSink) => void): void {
    this.#ending ??= how;
    this.resume();
  }

  /** Ends the client at once; queued payloads are dropped. */
  close(): void {
    this.#hasEnded = true;
    this.#queue?.clear();
  }

  get #queueSize(): number {
    return this.#queue?.size ?? 0;
  }

  /** Queues a payload. Returns false when a limit is exceeded. */
  #enqueue(payload: LivePayload): boolean {
    const { limits, metrics } = this.#options;
    this.#queue ??= createClientQueue(limits, (change) => metrics.queued.inc(change));
    const replaced = payload.replaced.filter((seq) => seq > this.#since).length;
    const fits = this.#queue.add(payload, replaced + this.#droppedCount);
    this.#droppedCount = 0;
    if (this.#sink.ready()) this.resume();
    return fits || this.#queueSize === 0;
  }

  #writeChunk(): void {
    const taken = this.#queue?.take(CHUNK) ?? [];
    const conflated = taken.some((one) => one.conflated > 0)
      ? taken.map((one) => one.conflated)
      : undefined;
    this.#write(
      taken.map(({ payload }) => payload),
      conflated,
    );
  }

  #write(payloads: readonly LivePayload[], conflated?: readonly number[]): void {
    const { metrics } = this.#options;
    metrics.deliveries.inc(payloads.length);
    if (conflated) metrics.conflated.inc(conflated.reduce((sum, one) => sum + one, 0));
    this.#sink.write(payloads, conflated);
  }

  #lag(): void {
    this.#options.metrics.lagged.inc();
    this.#finish();
    this.#sink.lagged();
  }

  #finish(): void {
    this.close();
    this.#options.onEnded();
  }
}
