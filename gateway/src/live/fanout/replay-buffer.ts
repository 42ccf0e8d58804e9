import type { ByteHold } from '../../limits/byte-account.ts';
import type { LivePayload } from '../upstream/live-payload.ts';
import { CursorLog } from './cursor-log.ts';

/** Maximum number of events and position reports, regardless of their size. */
const MAX_ENTRIES = 1_000;
/**
 * Minimum number of cursors. With fewer cursors, two streams without position reports might never
 * have a common cursor.
 */
const MIN_CURSORS = 16;

/** An event of the stream; its payload is undefined if it was too large to be kept. */
export interface ReplayedEvent {
  readonly cursor?: string | undefined;
  readonly payload: LivePayload | undefined;
}

/**
 * Last payloads of one upstream stream, for clients that resume and for catch-ups that join the
 * stream. The payloads have a maximum size but no minimum number: clients that resume before a
 * dropped payload catch up instead. Of the last events, at least the cursors are kept.
 */
export class ReplayBuffer {
  readonly #maxBytes: number;
  readonly #hold: ByteHold;
  readonly #cursors = new CursorLog();
  /** Kept payloads by the events' numbers, oldest first. */
  readonly #payloads = new Map<number, LivePayload>();
  #payloadBytes = 0;

  /**
   * @param maxBytes maximum size of all payloads and cursors
   * @param hold optional bytes, which the budget may refuse or drop
   */
  constructor(maxBytes: number, hold: ByteHold) {
    this.#maxBytes = maxBytes;
    this.#hold = hold;
  }

  /** Adds a payload; see `CursorLog.add`. */
  add(payload: LivePayload, reportsPositions: boolean): void {
    this.#cursors.add(payload, reportsPositions);
    this.#payloads.set(payload.seq, payload);
    this.#payloadBytes += payload.size;
    this.#settle();
  }

  /** Adds a position report; see `CursorLog.report`. */
  report(position: string | null | undefined, seq: number): void {
    this.#cursors.report(position, seq);
    this.#settle();
  }

  /** Returns the newest cursors that can be found, newest first. */
  recentCursors(): readonly string[] {
    return this.#cursors.recentCursors();
  }

  /** Returns the index of a cursor's last entry; undefined if the cursor cannot be found. */
  findIndex(cursor: string): number | undefined {
    return this.#cursors.findIndex(cursor);
  }

  /** Returns the events after an entry. */
  after(index: number): readonly ReplayedEvent[] {
    return this.#cursors.after(index).map(({ cursor, seq }) => ({
      cursor,
      payload: this.#payloads.get(seq),
    }));
  }

  /** Returns the number of upstream events up to an entry. */
  seqAt(index: number): number {
    return this.#cursors.seqAt(index);
  }

  /** Drops all payloads. */
  shrink(): void {
    while (this.#dropOldest());
    this.#count();
  }

  /** Stops to count the buffer, which must not be used any longer. */
  close(): void {
    this.#payloads.clear();
    this.#hold.releaseAll();
  }

  get #bytes(): number {
    return this.#payloadBytes + this.#cursors.bytes;
  }

  /** Drops the oldest payloads until the rest fits. */
  #settle(): void {
    while (!this.#fits() && this.#dropOldest());
    this.#count();
  }

  #fits(): boolean {
    if (this.#cursors.size > MAX_ENTRIES || this.#bytes > this.#maxBytes) return false;
    const more = this.#bytes - this.#hold.bytes;
    return more <= 0 || this.#hold.reserve(more);
  }

  #dropOldest(): boolean {
    const [oldest] = this.#payloads.values();
    if (oldest) {
      this.#payloads.delete(oldest.seq);
      this.#payloadBytes -= oldest.size;
    }
    const kept = Math.max(MIN_CURSORS, this.#payloads.size + 1);
    const isExcessive = this.#cursors.size > kept;
    if (isExcessive) this.#cursors.shift();
    return oldest !== undefined || isExcessive;
  }

  /** Counts what is left, even if the budget has no room for the minimum number of cursors. */
  #count(): void {
    const more = this.#bytes - this.#hold.bytes;
    if (more > 0) this.#hold.charge(more);
    else this.#hold.release(-more);
  }
}

/**
 * Returns the payloads of the events that were not delivered yet; undefined if one of them was not
 * kept.
 * @param isDelivered whether an event with this cursor was delivered
 */
export function undelivered(
  events: readonly ReplayedEvent[],
  isDelivered: (cursor: string) => boolean,
): readonly LivePayload[] | undefined {
  const payloads: LivePayload[] = [];
  for (const { cursor, payload } of events) {
    if (cursor !== undefined && isDelivered(cursor)) continue;
    if (!payload) return undefined;
    payloads.push(payload);
  }
  return payloads;
}
