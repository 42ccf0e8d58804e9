import type { ByteHold } from '../../limits/byte-account.ts';
import type { DeliveryNote, LivePayload } from '../upstream/live-payload.ts';

/** Limits of one client's queue. A client whose queue exceeds a limit has lagged. */
export interface QueueLimits {
  readonly messages: number;
  /** Maximum size of the payloads; a single payload may be larger. */
  readonly bytes: number;
}

/** A payload in a client's queue, with what is said about it to this client. */
export interface Delivery extends DeliveryNote {
  readonly payload: LivePayload;
}

interface QueueOptions {
  readonly limits: QueueLimits;
  /** The bytes of the queue, towards the client's connection. */
  readonly hold: ByteHold;
  /** Whether payloads are marked with `more`. Other clients do not need groups, which replace fewer payloads. */
  readonly groups: boolean;
  /** Called with the change of the queue's size. */
  readonly onSize: (change: number) => void;
}

interface Waiting {
  readonly payload: LivePayload;
  readonly conflated: number;
  /** The payload's number in the queue, from 1. */
  readonly place: number;
}

/**
 * Payloads that wait for one client of one stream while its socket is full.
 *
 * A new payload replaces a waiting payload of the same key, but is added at the end. The queue therefore
 * keeps the order of the stream, and a client that resumes from its newest cursor receives every later
 * payload. A payload without a key, such as a marker of a snapshot, is not replaced, and later payloads
 * replace none before it.
 *
 * The payloads between a replaced one and its replacement form a group: a client that resumed between them
 * would never learn of the replaced payload. Each of them except the last is marked with `more`. When the
 * first one is taken, the payloads of the group are not replaced any more, so that each group ends.
 */
export class ClientQueue {
  readonly #limits: QueueLimits;
  readonly #hold: ByteHold;
  readonly #groups: boolean;
  readonly #onSize: (change: number) => void;
  readonly #waiting = new Map<LivePayload, Waiting>();
  /** The payloads that can be replaced, by key: those since the last payload without a key. */
  readonly #newest = new Map<string, LivePayload>();
  /** Number of payloads that were added. */
  #added = 0;
  /** The next group: from the place of a replaced payload to the place of the newest replacement. */
  #next: { readonly from: number; readonly to: number } | undefined;
  /** The place at which the group ends that is being taken. */
  #groupEnd = 0;
  /** Number of waiting payloads that were added before that group was begun. */
  #fixed = 0;

  constructor({ limits, hold, groups, onSize }: QueueOptions) {
    this.#limits = limits;
    this.#hold = hold;
    this.#groups = groups;
    this.#onSize = onSize;
  }

  /** Number of payloads. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Adds a payload. Returns false when a limit is exceeded; the queue must then be discarded. */
  add(payload: LivePayload, conflated: number): boolean {
    const { key, size } = payload;
    const replaced = key === undefined ? undefined : this.#newest.get(key);
    const older = replaced && this.#waiting.get(replaced);
    if (replaced) this.#remove(replaced);
    if (this.#waiting.size - this.#fixed >= this.#limits.messages) return false;
    if (this.#waiting.size > 0 && this.#hold.bytes + size > this.#limits.bytes) return false;
    if (!this.#hold.reserve(size)) return false;
    if (key === undefined) this.#newest.clear();
    else this.#newest.set(key, payload);
    this.#added += 1;
    const place = this.#added;
    if (older && this.#groups) {
      this.#next = { from: Math.min(this.#next?.from ?? place, older.place), to: place };
    }
    const count = conflated + (older ? older.conflated + 1 : 0);
    this.#waiting.set(payload, { payload, conflated: count, place });
    this.#onSize(1);
    return true;
  }

  /**
   * Removes and returns the oldest payloads: as many as fit into this number of bytes, and at least
   * one.
   */
  take(bytes: number): Delivery[] {
    const taken: Delivery[] = [];
    let size = 0;
    for (const { payload, conflated, place } of this.#waiting.values()) {
      if (taken.length > 0 && size + payload.bytes.length > bytes) break;
      size += payload.bytes.length;
      if (this.#next && place >= this.#next.from) this.#enterGroup(place, this.#next.to);
      taken.push({ payload, conflated, more: payload.more || place < this.#groupEnd });
      if (this.#fixed > 0) this.#fixed -= 1;
      this.#remove(payload);
    }
    return taken;
  }

  clear(): void {
    this.#onSize(-this.#waiting.size);
    this.#waiting.clear();
    this.#newest.clear();
    this.#hold.releaseAll();
  }

  #enterGroup(place: number, end: number): void {
    this.#next = undefined;
    // The replacement itself is alone if it followed the replaced payload directly.
    if (place >= end) return;
    this.#groupEnd = end;
    this.#fixed = this.#waiting.size;
    this.#newest.clear();
  }

  #remove(payload: LivePayload): void {
    const { key } = payload;
    this.#waiting.delete(payload);
    if (key !== undefined && this.#newest.get(key) === payload) this.#newest.delete(key);
    this.#hold.release(payload.size);
    this.#onSize(-1);
  }
}
