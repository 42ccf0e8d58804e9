import type {
  EventRun,
  StreamItem,
  UpstreamSubscription,
} from '../upstream/upstream-subscription.ts';
import type { CatchUpGate } from './catch-up-gate.ts';
import { ReplayBuffer } from './replay-buffer.ts';
import { inBatches, type StreamClient } from './stream-client.ts';

/**
 * Time without an event or a position report after which a catch-up frees its slot, in
 * milliseconds.
 */
const QUIET_MS = 1_000;
/**
 * Time after which a catch-up that has received nothing frees its slot, in milliseconds. Without
 * this limit, an unavailable subgraph would block the other catch-ups.
 */
const SILENT_MS = 5_000;

/**
 * States of a catch-up.
 *
 * - `waiting`: the gate has no free slot. → `serving` when the catch-up gets a slot, or `over`
 *   instead if the stream's replay buffer contains the catch-up's cursor by then. → `over` when the
 *   last client leaves.
 * - `serving`: its private upstream serves its clients. → `over` when its clients have moved to the
 *   stream, the upstream ends, or the last client leaves.
 * - `over`: final.
 */
type CatchUpState = 'waiting' | 'serving' | 'over';

/**
 * Private upstream for clients that resume from the same cursor. It serves these clients until it
 * and the shared stream have delivered a common cursor.
 */
export class CatchUp {
  /** The cursor after which its clients continue. */
  readonly after: string;
  readonly clients = new Set<StreamClient>();
  /** Last payloads of the upstream. The stream searches them for a common cursor. */
  readonly buffer = new ReplayBuffer(Number.POSITIVE_INFINITY);
  readonly #leaveGate: () => void;
  #state: CatchUpState = 'waiting';
  #upstream: UpstreamSubscription | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #cursor: string;

  constructor(options: {
    readonly after: string;
    readonly gate: CatchUpGate;
    /**
     * Called when the gate gives the catch-up a slot; never before the constructor has returned.
     */
    readonly onTurn: (catchUp: CatchUp) => void;
  }) {
    this.after = options.after;
    this.#cursor = options.after;
    this.#leaveGate = options.gate.enter(() =>
      // The gate may call this function before the constructor has returned, so `onTurn` is
      // deferred.
      queueMicrotask(() => {
        if (this.#state === 'waiting') options.onTurn(this);
      }),
    );
  }

  /** Whether new clients with the same cursor may join, which is possible until the first event. */
  get isJoinable(): boolean {
    return this.#state !== 'over' && (this.#upstream?.seen ?? 0) === 0;
  }

  /** The cursor after the last delivered event. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Returns the number of events up to `seq` that were replaced by events not delivered yet. */
  droppedUpTo(seq: number): number {
    return this.#upstream?.replacedUpTo(seq) ?? 0;
  }

  serve(upstream: UpstreamSubscription): void {
    this.#state = 'serving';
    this.#upstream = upstream;
    this.#quiet = setTimeout(this.#leaveGate, SILENT_MS);
  }

  /** Delivers items of its upstream to its clients. */
  pass(items: readonly StreamItem[]): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(this.#leaveGate, QUIET_MS);
    const payloads = items.flatMap((item) => ('payload' in item ? [item.payload] : []));
    for (const batch of inBatches(payloads)) {
      for (const client of this.clients) client.deliver(batch);
    }
    for (const item of items) {
      if ('payload' in item) this.buffer.add(item.payload, item.reportsPositions);
      else this.buffer.report(item.position, item.seq);
      this.#cursor = ('payload' in item ? item.payload.cursor : item.position) ?? this.#cursor;
    }
  }

  move(run: EventRun): void {
    this.#upstream?.move(run);
  }

  close(): void {
    this.#state = 'over';
    clearTimeout(this.#quiet);
    this.#upstream?.close();
    this.#leaveGate();
  }
}
