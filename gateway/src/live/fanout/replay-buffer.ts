import type { LivePayload } from '../upstream/live-payload.ts';

/** Number of newest cursors that are compared to find a common cursor of two streams. */
const TRIED_CURSORS = 8;
/** Maximum number of entries, regardless of their size. */
const MAX_ENTRIES = 1_000;
/**
 * Minimum number of entries, regardless of their size. With fewer entries, two streams might never
 * have a common cursor.
 */
const MIN_ENTRIES = 16;

interface Entry {
  /** Undefined for a position report. */
  readonly payload: LivePayload | undefined;
  readonly seq: number;
  /** The cursor by which clients and catch-ups find this entry. */
  cursor?: string;
}

/**
 * Last payloads of one upstream stream, for clients that resume and for catch-ups that join the
 * stream.
 *
 * Entries are numbered from 0; an index does not change when older entries are dropped. Several
 * events may have the same cursor, for example all events of a snapshot. A cursor therefore
 * identifies the last entry that has it. It can be found only after an event with another cursor or
 * a position report has been added.
 */
export class ReplayBuffer {
  readonly #maxCharacters: number;
  readonly #entries: Entry[] = [];
  readonly #indexOf = new Map<string, number>();
  /** The index of the oldest entry. */
  #first = 0;
  #characters = 0;
  #isReported = false;
  #lastCursor: string | undefined;

  /** @param maxCharacters maximum number of characters of all payloads */
  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /**
   * Adds a payload.
   * @param reportsPositions whether the upstream sends position reports; if so, no cursor can be
   * found before the first report
   */
  add(payload: LivePayload, reportsPositions: boolean): void {
    const { cursor } = payload;
    const last = this.#lastCursor;
    if (last !== undefined && cursor !== undefined && cursor !== last) {
      if (this.#isReported || !reportsPositions) this.#point(last, this.#lastIndex);
    }
    this.#lastCursor = cursor ?? last;
    this.#push({ payload, seq: payload.seq });
  }

  /**
   * Adds a position report.
   * @param position the cursor of the stream. `null` or `undefined`: the position is unknown, and
   * `findIndex` finds no cursor of an event that is added until the next report with a cursor.
   * `null` also removes all earlier cursors.
   */
  report(position: string | null | undefined, seq: number): void {
    this.#isReported = typeof position === 'string';
    this.#lastCursor = undefined;
    if (position === null) this.#indexOf.clear();
    if (typeof position !== 'string') return;
    this.#push({ payload: undefined, seq });
    this.#point(position, this.#lastIndex);
  }

  /** Returns the newest cursors that can be found, newest first. */
  recentCursors(): readonly string[] {
    return [...this.#indexOf.keys()].slice(-TRIED_CURSORS).reverse();
  }

  /** Returns the index of a cursor's last entry; undefined if the cursor cannot be found. */
  findIndex(cursor: string): number | undefined {
    return this.#indexOf.get(cursor);
  }

  /** Returns the payloads after an entry. */
  after(index: number): readonly LivePayload[] {
    return this.#entries
      .slice(index + 1 - this.#first)
      .flatMap(({ payload }) => (payload === undefined ? [] : [payload]));
  }

  /** Returns the number of upstream events up to an entry. */
  seqAt(index: number): number {
    return this.#entries[index - this.#first]?.seq ?? 0;
  }

  get #lastIndex(): number {
    return this.#first + this.#entries.length - 1;
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

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#characters += entry.payload?.json.length ?? 0;
    while (this.#isOver()) {
      const dropped = this.#entries.shift();
      this.#characters -= dropped?.payload?.json.length ?? 0;
      if (dropped?.cursor !== undefined && this.#indexOf.get(dropped.cursor) === this.#first) {
        this.#indexOf.delete(dropped.cursor);
      }
      this.#first += 1;
    }
  }

  #isOver(): boolean {
    const { length } = this.#entries;
    return length > MAX_ENTRIES || (this.#characters > this.#maxCharacters && length > MIN_ENTRIES);
  }
}
