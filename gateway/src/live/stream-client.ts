import type { GraphQLFormattedError } from 'graphql';
import { createClientQueue, type QueueLimits } from './client-queue.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { LivePayload } from './live-payload.ts';

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
}

/** Payloads in batches that a socket can be asked about in between. */
export function inBatches(payloads: readonly LivePayload[]): Batch[] {
  const batches: Batch[] = [];
  let batch: LivePayload[] = [];
  let size = 0;
  for (const payload of payloads) {
    if (batch.length > 0 && size + payload.json.length > CHUNK) {
      batches.push({ payloads: batch });
      batch = [];
      size = 0;
    }
    batch.push(payload);
    size += payload.json.length;
  }
  if (batch.length > 0) batches.push({ payloads: batch });
  return batches;
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

/** @param onOver called once, when the client has lagged or its end has been told */
export function createStreamClient({
  outlet,
  limits,
  metrics,
  onOver,
}: {
  outlet: Outlet;
  limits: QueueLimits;
  metrics: LiveMetrics;
  onOver: () => void;
}): StreamClient {
  const queue = createClientQueue(limits, (change) => metrics.queued.inc(change));
  let ending: ((outlet: Outlet) => void) | undefined;
  let over = false;
  let owed = 0;
  let since = 0;

  const write = (payloads: readonly LivePayload[], conflated?: readonly number[]): void => {
    metrics.deliveries.inc(payloads.length);
    if (conflated) metrics.conflated.inc(conflated.reduce((sum, one) => sum + one, 0));
    outlet.write(payloads, conflated);
  };

  const finish = (): void => {
    over = true;
    queue.clear();
    onOver();
  };

  const resume = (): void => {
    while (!over && queue.size > 0 && outlet.ready()) {
      const taken = queue.take(CHUNK);
      const conflated = taken.some((one) => one.conflated > 0)
        ? taken.map((one) => one.conflated)
        : undefined;
      write(
        taken.map(({ payload }) => payload),
        conflated,
      );
    }
    if (!ending || over || queue.size > 0) return;
    finish();
    ending(outlet);
  };

  return {
    deliver: (batch) => {
      if (over || ending) return;
      const plain = owed === 0 && !batch.payloads.some(replacing);
      if (plain && queue.size === 0 && outlet.ready()) return write(batch.payloads);
      for (const payload of batch.payloads) {
        const replaced = payload.replaced.filter((seq) => seq > since).length;
        const fits = queue.add(payload, replaced + owed);
        owed = 0;
        if (queue.size > 0 && outlet.ready()) resume();
        if (fits || queue.size === 0) continue;
        metrics.lagged.inc();
        finish();
        outlet.lagged();
        return;
      }
    },
    begin: (seq, more) => {
      since = seq;
      owed += more;
    },
    resume,
    end: (how) => {
      ending ??= how;
      resume();
    },
    close: () => {
      over = true;
      queue.clear();
    },
  };
}

function replacing({ replaced }: LivePayload): boolean {
  return replaced.length > 0;
}
