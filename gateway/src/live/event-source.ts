import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import { createPayload, type LivePayload } from './live-payload.ts';
import type { EventMarks } from './upstream-operation.ts';
import type { UpstreamSink } from './upstream-sink.ts';

/** Events that wait for their execution before older ones of the same key are left out. */
const BACKLOG = 1_000;
/** Executions may keep the process busy for so long at a time, in milliseconds. */
const BUSY_MS = 5;

/** What an upstream brings, in its order: events as clients get them, and positions it has told. */
export type Passed =
  | { readonly payload: LivePayload; readonly arrived: number }
  /** All before this cursor has come; null: none can be told until the next. */
  | { readonly position: string | null; readonly seq: number };

export interface SourceSink {
  /** What has come since the last call. */
  readonly pass: (items: readonly Passed[]) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
  /** More events wait than may, and none may be left out. */
  readonly overrun: () => void;
}

/** One upstream subscription with the execution of its events. */
export interface EventSource {
  /** How many events have come. */
  readonly seen: () => number;
  /** How many up to a place were replaced by events that have not been passed on. */
  readonly replacedUpTo: (seq: number) => number;
  readonly close: () => void;
}

interface Waiting {
  readonly event: SubgraphAnswer;
  readonly marks: EventMarks;
  readonly seq: number;
  readonly arrived: number;
  readonly replaced: readonly number[];
}

type Item = Waiting | { readonly position: string | null; readonly seq: number };

export function startEventSource({
  after,
  conflates,
  subscribe,
  takeMarks,
  execute,
  onEvent,
  sink,
}: {
  after: string | undefined;
  conflates: boolean;
  /** @param cursor where to go on from whenever the subscription is made, or made again */
  subscribe: (cursor: () => string | undefined, sink: UpstreamSink) => () => void;
  takeMarks: (event: SubgraphAnswer) => EventMarks;
  /** Must not reject. */
  execute: (event: SubgraphAnswer) => Promise<FormattedExecutionResult>;
  onEvent: () => void;
  sink: SourceSink;
}): EventSource {
  let waiting: Item[] = [];
  let passed: Passed[] = [];
  let cursor = after;
  let seq = 0;
  let limit = BACKLOG;
  let executing: Item | undefined;
  let working = false;
  let flushing = false;
  let closed = false;
  let end: (() => void) | undefined;

  const flush = (): void => {
    flushing = false;
    if (closed) return;
    const items = passed;
    passed = [];
    if (items.length > 0) sink.pass(items);
    if (!end || working || waiting.length > 0 || closed) return;
    close();
    end();
  };
  const flushSoon = (): void => {
    if (flushing) return;
    flushing = true;
    // After all that has come in the same turn: bursts are written together.
    setImmediate(flush);
  };

  // One event at a time: fields of other subgraphs are read in the order in which they are shown,
  // so a later event never shows an older state of them.
  const work = async (): Promise<void> => {
    if (working) return;
    working = true;
    let since = performance.now();
    for (let item = waiting.shift(); item && !closed; item = waiting.shift()) {
      executing = item;
      if ('position' in item) passed.push(item);
      else {
        const result = await execute(item.event);
        passed.push({ payload: createPayload(result, item.marks, item), arrived: item.arrived });
      }
      executing = undefined;
      flushSoon();
      if (performance.now() - since < BUSY_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      since = performance.now();
    }
    working = false;
    flushSoon();
  };

  const conflate = (): void => {
    const newest = new Map<string, number>();
    for (const [index, item] of waiting.entries()) {
      if ('event' in item && item.marks.key !== undefined) newest.set(item.marks.key, index);
    }
    const replaced = new Map<string, number[]>();
    waiting = waiting.flatMap((item, index): Item[] => {
      if (!('event' in item) || item.marks.key === undefined) return [item];
      const older = replaced.get(item.marks.key) ?? [];
      older.push(...item.replaced);
      replaced.set(item.marks.key, older);
      if (newest.get(item.marks.key) === index) return [{ ...item, replaced: older }];
      older.push(item.seq);
      return [];
    });
  };

  const add = (item: Item): void => {
    waiting.push(item);
    void work();
    if (waiting.length <= limit) return;
    if (conflates) conflate();
    // Twice what is left: conflating again at each event would cost more than the events.
    limit = Math.max(BACKLOG, waiting.length * 2);
    if (conflates ? waiting.length <= BACKLOG * 10 : waiting.length <= BACKLOG) return;
    end = sink.overrun;
    waiting = [];
    flushSoon();
  };

  const endWith = (how: () => void): void => {
    end ??= how;
    flushSoon();
  };

  const leave = subscribe(() => cursor, {
    next: (event) => {
      if (closed || end) return;
      seq += 1;
      onEvent();
      const marks = takeMarks(event as SubgraphAnswer);
      cursor = marks.cursor ?? cursor;
      add({ event: event as SubgraphAnswer, marks, seq, arrived: performance.now(), replaced: [] });
    },
    position: (told) => {
      if (closed || end) return;
      cursor = told ?? cursor;
      add({ position: told, seq });
    },
    error: (errors) => endWith(() => sink.error(errors)),
    complete: () => endWith(sink.complete),
  });

  const close = (): void => {
    if (closed) return;
    closed = true;
    waiting = [];
    passed = [];
    leave();
  };

  return {
    seen: () => seq,
    replacedUpTo: (place) => {
      let count = 0;
      for (const item of [...passed, ...(executing ? [executing] : []), ...waiting]) {
        const replaced =
          'payload' in item ? item.payload.replaced : 'event' in item && item.replaced;
        for (const one of replaced || []) if (one <= place) count += 1;
      }
      return count;
    },
    close,
  };
}
