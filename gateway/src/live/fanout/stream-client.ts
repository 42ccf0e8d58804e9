import type { GraphQLFormattedError } from 'graphql';
import type { LivePayload } from '../upstream/live-payload.ts';
import { type ClientQueue, createClientQueue, type QueueLimits } from './client-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';

/** How much is handed to a socket at once, in characters: it is asked again in between. */
const CHUNK = 64 * 1024;

/** A client's side of a stream, as its protocol makes it; all but `write` end it. */
export interface Outlet {
  /** Whether the socket takes more right now. */
  readonly ready: () => boolean;
  /** @param conflated how many older events each payload stands for; absent: none */
  readonly write: (payloads: readonly LivePayload[], conflated?: readonly number[]) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
  /** The client is too slow for a stream that may leave nothing out. */
  readonly lagged: () => void;
}

/** Payloads that are handed out together. */
export interface Batch {
  readonly payloads: readonly LivePayload[];
  /** Whether one of them stands for older ones. */
  readonly replacing: boolean;
}

/** Payloads in batches that a socket can be asked about in between. */
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
    replacing: batch.some(({ replaced }) => replaced.length > 0),
  }));
}

export interface StreamClient {
  readonly deliver: (batch: Batch) => void;
  /**
   * Of the stream's events, those after this place are for this client.
   * @param owed events before it that were replaced by later ones, to be told with the next payload
   */
  readonly begin: (seq: number, owed: number) => void;
  /** Its socket takes more again. */
  readonly resume: () => void;
  /** Ends it once what waits has been written. */
  readonly end: (how: (outlet: Outlet) => void) => void;
  /** Drops what waits; nothing is written any more. */
  readonly close: () => void;
}

interface ClientOptions {
  readonly outlet: Outlet;
  readonly limits: QueueLimits;
  readonly metrics: LiveMetrics;
  /** Called once, when the client has lagged or its end has been told. */
  readonly onOver: () => void;
}

/**
 * A class, and a queue only for those who need one: each delivery finds its client's state far from
 * the processor's caches, and with closures over closures that took 3 of its 16 µs.
 */
class QueuedClient implements StreamClient {
  readonly #outlet: Outlet;
  readonly #options: ClientOptions;
  #queue: ClientQueue | undefined;
  #ending: ((outlet: Outlet) => void) | undefined;
  #over = false;
  #owed = 0;
  #since = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#outlet = options.outlet;
  }

  deliver(batch: Batch): void {
    if (this.#over || this.#ending) return;
    const idle = this.#owed === 0 && (this.#queue === undefined || this.#queue.size === 0);
    if (idle && !batch.replacing && this.#outlet.ready()) {
      this.#write(batch.payloads);
      return;
    }
    for (const payload of batch.payloads) {
      if (this.#enqueue(payload)) continue;
      this.#lag();
      return;
    }
  }

  begin(seq: number, owed: number): void {
    this.#since = seq;
    this.#owed += owed;
  }

  resume(): void {
    while (!this.#over && this.#waiting > 0 && this.#outlet.ready()) this.#writeSome();
    const ending = this.#ending;
    if (!ending || this.#over || this.#waiting > 0) return;
    this.#finish();
    ending(this.#outlet);
  }

  end(how: (outlet: Outlet) => void): void {
    this.#ending ??= how;
    this.resume();
  }

  close(): void {
    this.#over = true;
    this.#queue?.clear();
  }

  get #waiting(): number {
    return this.#queue?.size ?? 0;
  }

  /** False when more would wait than may. */
  #enqueue(payload: LivePayload): boolean {
    const { limits, metrics } = this.#options;
    this.#queue ??= createClientQueue(limits, (change) => metrics.queued.inc(change));
    const replaced = payload.replaced.filter((seq) => seq > this.#since).length;
    const fits = this.#queue.add(payload, replaced + this.#owed);
    this.#owed = 0;
    if (this.#outlet.ready()) this.resume();
    return fits || this.#waiting === 0;
  }

  #writeSome(): void {
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
    this.#outlet.write(payloads, conflated);
  }

  #lag(): void {
    this.#options.metrics.lagged.inc();
    this.#finish();
    this.#outlet.lagged();
  }

  #finish(): void {
    this.close();
    this.#options.onOver();
  }
}

export function createStreamClient(options: ClientOptions): StreamClient {
  return new QueuedClient(options);
}
