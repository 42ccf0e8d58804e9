import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';

/** Number of waiting events above which older events of the same key are dropped. */
const CONFLATE_ABOVE = 1_000;
/** Maximum waiting events when older events of the same key may be dropped. */
const LIMIT_CONFLATED = 10_000;

/** A subgraph's event that waits for its execution. */
export interface QueuedEvent {
  readonly event: SubgraphAnswer;
  readonly marks: EventMarks;
  /** Its number among the subscription's events, from 1. */
  readonly seq: number;
  /** When it arrived, by `performance.now()`. */
  readonly arrived: number;
  /** Whether its subgraph sends position reports. */
  readonly reportsPositions: boolean;
  /** The numbers of the events that it replaced. */
  readonly replaced: readonly number[];
}

/** A position of the upstream stream, between two events. */
export interface PositionReport {
  /**
   * All events before this cursor have arrived. `null`: no position until the next report.
   * `undefined`: the stream was resubscribed, so earlier reports are no longer valid.
   */
  readonly position: string | null | undefined;
  /** The number of the last event before it. */
  readonly seq: number;
}

/** The events and position reports of one subscription that wait for their execution, in order. */
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
    // Twice the remaining number: conflating again at each event would cost more than executing it.
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
   * Keeps the newest event of each key, at its own position, with the numbers of the replaced
   * events.
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
