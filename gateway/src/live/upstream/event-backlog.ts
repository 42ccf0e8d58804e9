import { type ByteHold, bytesOf } from '../../limits/byte-account.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { EventMarks } from '../planning/upstream-operation.ts';
import type { SnapshotItem } from './snapshot-marker.ts';

/** Number of waiting events above which older events of the same key are dropped. */
const CONFLATE_ABOVE = 1_000;
/**
 * Maximum number of waiting events if older events of the same key may be dropped. Otherwise, the
 * maximum is `CONFLATE_ABOVE`.
 */
const LIMIT_CONFLATED = 10_000;
/** Maximum size of waiting events in bytes, as `size` counts them; a single event may be larger. */
const LIMIT_BYTES = 32 * 1024 * 1024;
/**
 * Memory of an event, per byte of the subgraph's message. Parsed JSON takes 1.2 to 1.5 times its
 * text for usual events, and 4.2 times for lists of objects with one number.
 */
const PARSED = 4;
/** Memory of an item besides the event itself, in bytes: an upper estimate. */
const ITEM_BYTES = 512;
/** Memory of the number of a replaced event, in bytes. */
const NUMBER_BYTES = 8;

/** A subgraph's event that waits for its execution. */
export interface QueuedEvent {
  readonly event: SubgraphAnswer;
  readonly marks: EventMarks;
  /** Size of the subgraph's message in bytes. */
  readonly messageBytes: number;
  /** The event's number within its subscription, from 1. */
  readonly seq: number;
  /** Time of the event's arrival, by `performance.now()`. */
  readonly arrived: number;
  /** Whether the event's subgraph sends position reports. */
  readonly reportsPositions: boolean;
  /** Numbers of the events that this event has replaced. */
  readonly replaced: readonly number[];
  /** Whether a later event has replaced an event before this one; see `LivePayload.more`. */
  readonly more: boolean;
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

/** An item between two events. */
type Mark = PositionReport | SnapshotItem;

/**
 * Waiting events of one subscription, and the reports and markers between them, in order. Their bytes
 * count until `release`, which must be called after their execution.
 */
export class EventBacklog<E extends QueuedEvent> {
  readonly #conflates: boolean;
  readonly #groups: boolean;
  readonly #hold: ByteHold;
  #items: (E | Mark)[] = [];
  #conflateAbove = CONFLATE_ABOVE;
  /**
   * Number of items up to the end of the last group of events that must be delivered together; see
   * `LivePayload.more`. They are not replaced any more, so that each group ends.
   */
  #grouped = 0;

  /**
   * @param conflates whether a newer event may replace a waiting event of the same key
   * @param groups whether clients may resume between events, so that groups are marked with `more`
   */
  constructor(hold: ByteHold, { conflates, groups }: { conflates: boolean; groups: boolean }) {
    this.#conflates = conflates;
    this.#groups = groups;
    this.#hold = hold;
  }

  get items(): readonly (E | Mark)[] {
    return this.#items;
  }

  /** Size of the items, including those that were taken and not released yet, in bytes. */
  get bytes(): number {
    return this.#hold.bytes;
  }

  /** Adds an item. Returns false when the backlog is full; the item may then be missing. */
  add(item: E | Mark): boolean {
    if (!this.#reserve(sizeOf(item))) return false;
    this.#items.push(item);
    if (this.#items.length <= this.#conflateAbove) return true;
    if (this.#conflates) this.#conflate();
    // The next conflation happens at twice the remaining number of items, because conflating at
    // each event would cost more than executing the event.
    this.#conflateAbove = Math.max(CONFLATE_ABOVE, this.#items.length * 2);
    return this.#items.length <= (this.#conflates ? LIMIT_CONFLATED : CONFLATE_ABOVE);
  }

  shift(): E | Mark | undefined {
    if (this.#grouped > 0) this.#grouped -= 1;
    return this.#items.shift();
  }

  /** Stops to count a taken item. */
  release(item: E | Mark): void {
    this.#hold.release(sizeOf(item));
  }

  clear(): void {
    for (const item of this.#items) this.release(item);
    this.#items = [];
    this.#grouped = 0;
  }

  #reserve(bytes: number): boolean {
    if (this.#fits(bytes) && this.#hold.reserve(bytes)) return true;
    if (!this.#conflates) return false;
    this.#conflate();
    return this.#fits(bytes) && this.#hold.reserve(bytes);
  }

  #fits(bytes: number): boolean {
    return this.#hold.bytes === 0 || this.#hold.bytes + bytes <= LIMIT_BYTES;
  }

  /**
   * Keeps only the newest event of each key between two markers, at its place in the order, and stores
   * in this event the numbers of the events that it replaces.
   */
  #conflate(): void {
    const keys = this.#conflationKeys();
    const newest = new Map<string, number>();
    for (const [index, key] of keys.entries()) if (key !== undefined) newest.set(key, index);
    const replaced = new Map<string, number[]>();
    const before = this.#size();
    this.#items = this.#items.flatMap((item, index): (E | Mark)[] => {
      const key = keys[index];
      if (!('event' in item) || key === undefined) return [item];
      const older = replaced.get(key) ?? [];
      for (const seq of item.replaced) older.push(seq);
      replaced.set(key, older);
      if (newest.get(key) === index) return [{ ...item, replaced: older }];
      older.push(item.seq);
      return [];
    });
    if (this.#groups) this.#markGroups();
    this.#hold.release(before - this.#size());
  }

  /** Marks the events between a replaced event and its replacement. */
  #markGroups(): void {
    let oldestReplaced = Number.POSITIVE_INFINITY;
    let end = 0;
    this.#grouped = 0;
    for (let index = this.#items.length - 1; index >= 0; index -= 1) {
      const item = this.#items[index];
      if (!item || !('event' in item)) continue;
      const more = item.seq > oldestReplaced;
      if (more && this.#grouped === 0) this.#grouped = end;
      if (more !== item.more) this.#items[index] = { ...item, more };
      for (const seq of item.replaced) oldestReplaced = Math.min(oldestReplaced, seq);
      end = index + 1;
    }
  }

  /** Returns the key of each item. An event never replaces an event before a marker of a snapshot. */
  #conflationKeys(): readonly (string | undefined)[] {
    let markers = 0;
    return this.#items.map((item, index) => {
      if ('phase' in item) markers += 1;
      if (!('event' in item) || item.marks.key === undefined) return undefined;
      if (index < this.#grouped) return undefined;
      return `${markers} ${item.marks.key}`;
    });
  }

  #size(): number {
    return this.#items.reduce((sum, item) => sum + sizeOf(item), 0);
  }
}

function sizeOf(item: QueuedEvent | Mark): number {
  if ('message' in item) return ITEM_BYTES + item.message.size;
  if (!('event' in item)) return ITEM_BYTES + bytesOf(item.position ?? '');
  return ITEM_BYTES + item.messageBytes * PARSED + item.replaced.length * NUMBER_BYTES;
}
