import { bytesOf } from '../../limits/byte-account.ts';

/** Number of newest cursors that are compared to find a common cursor of two streams. */
const TRIED_CURSORS = 8;
/** Memory of an entry without its cursor, in bytes: an upper estimate. */
const ENTRY_BYTES = 96;

/** The place of an event in an upstream subscription. */
export interface EventMark {
  /** The event's number within the upstream subscription, from 1. */
  readonly seq: number;
  readonly cursor?: string | undefined;
}

interface Entry {
  /** Undefined for a position report. */
  readonly event: EventMark | undefined;
  readonly seq: number;
  /** Memory of the entry, in bytes. */
  readonly bytes: number;
  /** The cursor by which clients and catch-ups find this entry. */
  cursor?: string;
}

/**
 * The cursors of an upstream stream's last events and position reports.
 *
 * Entries are numbered from 0; an index does not change when older entries are dropped. Several
 * events may have the same cursor, for example all events of a snapshot. A cursor therefore
 * identifies the last entry that has it. It can be found only after an event with another cursor or
 * a position report has been added.
 */
export class CursorLog {
  readonly #entries: Entry[] = [];
  readonly #indexOf = new Map<string, number>();
  /** The index of the oldest entry. */
  #first = 0;
  #bytes = 0;
  #isReported = false;
  #lastCursor: string | undefined;

  /**
   * Adds an event.
   * @param reportsPositions whether the upstream sends position reports; if so, no cursor can be
   * found before the first report
   */
  add(event: EventMark, reportsPositions: boolean): void {
    const { cursor, seq } = event;
    const last = this.#lastCursor;
    if (last !== undefined && cursor !== undefined && cursor !== last) {
      if (this.#isReported || !reportsPositions) this.#point(last, this.lastIndex);
    }
    this.#lastCursor = cursor ?? last;
    this.#push({ event: { seq, cursor }, seq, bytes: entryBytes(cursor) });
  }

  /**
   * Adds a position report. Of several reports in a row, only the first and the last one are kept.
   * @param position the cursor of the stream. `null` or `undefined`: the position is unknown, and
   * `findIndex` finds no cursor of an event that is added until the next report with a cursor.
   * `null` also removes all earlier cursors.
   */
  report(position: string | null | undefined, seq: number): void {
    this.#isReported = typeof position === 'string';
    this.#lastCursor = undefined;
    if (position === null) this.#indexOf.clear();
    if (typeof position !== 'string') return;
    const [before, last] = this.#entries.slice(-2);
    if (last && !last.event && !before?.event) this.#pop();
    this.#push({ event: undefined, seq, bytes: entryBytes(position) });
    this.#point(position, this.lastIndex);
  }

  /** Returns the newest cursors that can be found, newest first. */
  recentCursors(): readonly string[] {
    return [...this.#indexOf.keys()].slice(-TRIED_CURSORS).reverse();
  }

  /** Returns the index of a cursor's last entry; undefined if the cursor cannot be found. */
  findIndex(cursor: string): number | undefined {
    return this.#indexOf.get(cursor);
  }

  /** Returns the events after an entry. */
  after(index: number): readonly EventMark[] {
    return this.#entries.slice(index + 1 - this.#first).flatMap(({ event }) => event ?? []);
  }

  /** Returns the number of upstream events up to an entry. */
  seqAt(index: number): number {
    return this.#entries[index - this.#first]?.seq ?? 0;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The index of the newest entry. */
  get lastIndex(): number {
    return this.#first + this.#entries.length - 1;
  }

  /** Memory of the entries, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Drops the oldest entry. */
  shift(): void {
    const dropped = this.#entries.shift();
    if (!dropped) return;
    if (dropped.cursor !== undefined) this.#unpoint(dropped.cursor, this.#first);
    this.#first += 1;
    this.#bytes -= dropped.bytes;
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  #pop(): void {
    const index = this.lastIndex;
    const dropped = this.#entries.pop();
    if (!dropped) return;
    if (dropped.cursor !== undefined) this.#unpoint(dropped.cursor, index);
    this.#bytes -= dropped.bytes;
  }

  #point(cursor: string, index: number): void {
    const entry = this.#entries[index - this.#first];
    if (!entry) return;
    entry.cursor = cursor;
    // The newest cursor must be the last one in the map. Without the deletion, a cursor that is
    // already in the map would keep its earlier place.
    this.#indexOf.delete(cursor);
    this.#indexOf.set(cursor, index);
  }

  #unpoint(cursor: string, index: number): void {
    if (this.#indexOf.get(cursor) === index) this.#indexOf.delete(cursor);
  }
}

function entryBytes(cursor: string | undefined): number {
  return ENTRY_BYTES + bytesOf(cursor ?? '');
}
