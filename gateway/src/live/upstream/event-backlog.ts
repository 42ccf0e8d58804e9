import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';

/** Number of waiting events above which older events of the same key are dropped. */
const CONFLATE_ABOVE = 1_000;
/**
 * Maximum number of waiting events if older events of the same key may be dropped. Otherwise, the
 * maximum is `CONFLATE_ABOVE`.
 */
const LIMIT_CONFLATED = 10_000;

/** A subgraph's event that waits for its execution. */
export interface QueuedEvent {
  readonly event: SubgraphAnswer;
  readonly marks: EventMarks;
  /** The event's number within its subscription, from 1. */
  readonly seq: number;
  /** Time of the event's arrival, by `performance.now()`. */
  readonly arrived: number;
  /** Whether the event's subgraph sends position reports. */
  readonly reportsPositions: boolean;
  /** Numbers of the events that this event has replaced. */
  readonly replaced: readonly number[];
}

/** A position of the upstream stream, between two events. */
export interface PositionReport {
  /**
   * Cursor of the position; all events before this cursor have arrived. `null`: the stream has no
   * position until the next report. `undefined`: the stream was resubscribed, so earlier reports
   * are no longer valid.
   */
  readonly position: string | null | undefined;
  /** Number of the last event before this position. */
  readonly seq: number;
}

/** Waiting events of one subscription, and the position reports between them, in order. */
export class EventBacklog<E extends QueuedEvent> {
  readonly #conflates: boolean;
  #items: (E | PositionReport)[] = [];
  #conflateAbove = CONFLATE_ABOVE;

  /** @param conflates whether a newer event may replace a waiting event of the same key */
  constructor(conflates: boolean) {
    this.#conflates = conflates;
  }

  get items(): readonly (E | PositionReport)[] {
    return this.#items;
  }

  /** Adds an item. Returns false when the backlog is full. */
  add(item: E | PositionReport): boolean {
    this.#items.push(item);
    if (this.#items.length <= this.#conflateAbove) return true;
    if (this.#conflates) this.#conflate();
    // The next conflation happens at twice the remaining number of items, because conflating at
    // each event would cost more than executing the event.
    this.#conflateAbove = Math.max(CONFLATE_ABOVE, this.#items.length * 2);
    return this.#items.length <= (this.#conflates ? LIMIT_CONFLATED : CONFLATE_ABOVE);
  }

  shift(): E | PositionReport | undefined {
    return this.#items.shift();
  }

  clear(): void {
    this.#items = [];
  }

  /**
   * Keeps only the newest event of each key, at its place in the order, and stores in this event
   * the numbers of the events that it replaces.
   */
  #conflate(): void {
    const newest = new Map<string, number>();
    for (const [index, item] of this.#items.entries()) {
      if ('event' in item && item.marks.key !== undefined) newest.set(item.marks.key, index);
    }
    const replaced = new Map<string, number[]>();
    this.#items = this.#items.flatMap((item, index): (E | PositionReport)[] => {
      if (!('event' in item) || item.marks.key === undefined) return [item];
      const older = replaced.get(item.marks.key) ?? [];
      older.push(...item.replaced);
      replaced.set(item.marks.key, older);
      if (newest.get(item.marks.key) === index) return [{ ...item, replaced: older }];
      older.push(item.seq);
      return [];
    });
  }
}
