import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';
import { createPayload, type LivePayload } from './live-payload.ts';
import type { UpstreamSink } from './upstream-sink.ts';

/** Events that wait for their execution before older ones of the same key are left out. */
const BACKLOG = 1_000;
/** Executions may keep the process busy for so long at a time, in milliseconds. */
const BUSY_MS = 5;

/** What an upstream brings, in its order: events as clients get them, and positions it has told. */
export type Passed = { readonly payload: LivePayload; readonly arrived: number } | PassedPosition;

export interface PassedPosition {
  /**
   * All before this cursor has come; null: none can be told until the next. Undefined: subscribed
   * anew, so what the subgraph told before says nothing of what comes now.
   */
  readonly position: string | null | undefined;
  readonly seq: number;
}

export interface SourceSink {
  /** What has come since the last call. */
  readonly pass: (items: readonly Passed[]) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
  /** More events wait than may, and none may be left out. */
  readonly overrun: () => void;
}

/** What is asked of a subgraph, and what is made of its events. */
export interface EventRun {
  /** Runs of the same origin get the same events. */
  readonly origin: string;
  /** @param cursor where to go on from whenever the subscription is made, or made again */
  readonly subscribe: (cursor: () => string | undefined, sink: UpstreamSink) => () => void;
  readonly takeMarks: (event: SubgraphAnswer) => EventMarks;
  /** Must not reject. */
  readonly execute: (event: SubgraphAnswer) => Promise<FormattedExecutionResult>;
}

/** One upstream subscription with the execution of its events. */
export interface EventSource {
  /** How many events have come. */
  readonly seen: () => number;
  /** How many up to a place were replaced by events that have not been passed on. */
  readonly replacedUpTo: (seq: number) => number;
  /** Goes on with another run, from where it is; what has come already is left to the old one. */
  readonly move: (run: EventRun) => void;
  readonly close: () => void;
}

interface Waiting {
  readonly event: SubgraphAnswer;
  readonly marks: EventMarks;
  readonly execute: EventRun['execute'];
  readonly seq: number;
  readonly arrived: number;
  readonly replaced: readonly number[];
}

type Item = Waiting | PassedPosition;

export function startEventSource({
  after,
  conflates,
  run: firstRun,
  onEvent,
  sink,
}: {
  after: string | undefined;
  conflates: boolean;
  run: EventRun;
  onEvent: () => void;
  sink: SourceSink;
}): EventSource {
  let waiting: Item[] = [];
  let passed: Passed[] = [];
  let run = firstRun;
  let cursor = after;
  let subscribed = false;
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
        const result = await item.execute(item.event);
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

  const from = (): string | undefined => {
    if (subscribed) add({ position: undefined, seq });
    subscribed = true;
    return cursor;
  };
  const upstream: UpstreamSink = {
    next: (answer) => {
      if (closed || end) return;
      const event = answer as SubgraphAnswer;
      seq += 1;
      onEvent();
      const marks = run.takeMarks(event);
      cursor = marks.cursor ?? cursor;
      const { execute } = run;
      add({ event, marks, execute, seq, arrived: performance.now(), replaced: [] });
    },
    position: (told) => {
      if (closed || end) return;
      cursor = told ?? cursor;
      add({ position: told, seq });
    },
    error: (errors) => endWith(() => sink.error(errors)),
    complete: () => endWith(sink.complete),
  };
  let leave = run.subscribe(from, upstream);

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
    move: (next) => {
      if (closed || end) return;
      const same = next.origin === run.origin;
      run = next;
      if (same) return;
      leave();
      leave = run.subscribe(from, upstream);
    },
    close,
  };
}
