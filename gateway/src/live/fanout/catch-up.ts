import type { GraphQLFormattedError } from 'graphql';
import type {
  EventRun,
  EventSource,
  Passed,
  SourceSink,
} from '../upstream/upstream-subscription.ts';
import type { CatchUpGate } from './catch-up-gate.ts';
import { createPassedLog, type PassedLog } from './replay-buffer.ts';
import { inBatches, type Outlet, type StreamClient } from './stream-client.ts';

/** A catch-up on which nothing has come for so long lets the next one begin, in milliseconds. */
const QUIET_MS = 1_000;
/** The same for one on which nothing has come at all: its subgraph may be away. */
const SILENT_MS = 5_000;

/** A private upstream from a cursor on, for the clients that came with it. */
export interface CatchUp {
  readonly clients: Set<StreamClient>;
  readonly log: PassedLog;
  /** Whether a further client of the same cursor would miss nothing. */
  readonly joinable: () => boolean;
  /** Events that older ones of the same key were replaced by and that it has not passed on. */
  readonly owed: (seq: number) => number;
  /** The cursor behind what its clients have been handed. */
  readonly cursor: () => string;
  readonly move: (run: EventRun) => void;
  readonly close: () => void;
}

/**
 * Waits for its turn, then hands its clients what they missed until the stream takes them over.
 * @param onPassed asked after all that has passed whether the stream can take the clients
 */
export function startCatchUp({
  after,
  gate,
  open,
  mustBeTold,
  takeAtOnce,
  onPassed,
  onOver,
}: {
  after: string;
  gate: CatchUpGate;
  open: (sink: SourceSink) => EventSource;
  mustBeTold: () => boolean;
  /** Asked when its turn has come: whether no upstream is needed any more. */
  takeAtOnce: () => boolean;
  onPassed: () => void;
  /** Its clients have been told that it is over. */
  onOver: () => void;
}): CatchUp {
  const clients = new Set<StreamClient>();
  // Only places are needed: its payloads have been handed out.
  const log = createPassedLog(Number.POSITIVE_INFINITY, mustBeTold);
  let source: EventSource | undefined;
  let quiet: NodeJS.Timeout | undefined;
  let cursor = after;
  let closed = false;

  const close = (): void => {
    closed = true;
    clearTimeout(quiet);
    source?.close();
    leaveGate();
  };
  const endAll = (how: (outlet: Outlet) => void): void => {
    const ending = [...clients];
    clients.clear();
    close();
    for (const client of ending) client.end(how);
    onOver();
  };

  const pass = (items: readonly Passed[]): void => {
    clearTimeout(quiet);
    quiet = setTimeout(leaveGate, QUIET_MS);
    const payloads = items.flatMap((item) => ('payload' in item ? [item.payload] : []));
    for (const batch of inBatches(payloads)) {
      for (const client of clients) client.deliver(batch);
    }
    for (const item of items) {
      if ('payload' in item) log.add(item.payload);
      else log.tell(item.position, item.seq);
      cursor = ('payload' in item ? item.payload.cursor : item.position) ?? cursor;
    }
    onPassed();
  };

  const leaveGate = gate.enter(() => {
    // The gate may open before this function has returned.
    queueMicrotask(() => {
      if (closed || takeAtOnce()) return;
      quiet = setTimeout(leaveGate, SILENT_MS);
      source = open({
        pass,
        error: (errors: readonly GraphQLFormattedError[]) =>
          endAll((outlet) => outlet.error(errors)),
        complete: () => endAll((outlet) => outlet.complete()),
        overrun: () => endAll((outlet) => outlet.lagged()),
      });
    });
  });

  return {
    clients,
    log,
    joinable: () => !closed && (source?.seen() ?? 0) === 0,
    owed: (seq) => source?.replacedUpTo(seq) ?? 0,
    cursor: () => cursor,
    move: (run) => source?.move(run),
    close,
  };
}
