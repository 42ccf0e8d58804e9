import type { ByteHold } from '../../limits/byte-account.ts';
import type { LivePayload } from '../upstream/live-payload.ts';

/** Newest payload of each key, for late subscribers of a conflated stream without cursors. */
export class LastValueCache {
  readonly #limit: number;
  readonly #hold: ByteHold;
  readonly #newest = new Map<string, { payload: LivePayload; subscription: number }>();
  /** Number of the current upstream subscription. */
  #subscription = 0;
  #isComplete = true;

  /**
   * @param limit maximum number of payloads; if it is exceeded, the cache is discarded
   * @param hold optional bytes; if the budget refuses some, the cache is discarded as well
   */
  constructor(limit: number, hold: ByteHold) {
    this.#limit = limit;
    this.#hold = hold;
  }

  /**
   * Stores a payload.
   * @returns false if clients already have the payload, because the subgraph has repeated it after
   * a reconnect
   */
  add(payload: LivePayload): boolean {
    if (payload.key === undefined) return true;
    if (!this.#isComplete) return true;
    const last = this.#newest.get(payload.key);
    const repeats =
      last && last.subscription < this.#subscription && last.payload.bytes.equals(payload.bytes);
    this.#newest.delete(payload.key);
    this.#hold.release(last?.payload.size ?? 0);
    if (this.#newest.size < this.#limit && this.#hold.reserve(payload.size)) {
      this.#newest.set(payload.key, { payload, subscription: this.#subscription });
    } else this.discard();
    return !repeats;
  }

  /** Drops all payloads. The cache stays empty, because it would no longer be complete. */
  discard(): void {
    this.#isComplete = false;
    this.#newest.clear();
    this.#hold.releaseAll();
  }

  /** Call after a resubscription, because the subgraph may then repeat cached payloads. */
  resubscribed(): void {
    this.#subscription += 1;
  }

  /** Returns the payloads, oldest first; undefined after the cache has been discarded. */
  payloads(): readonly LivePayload[] | undefined {
    return this.#isComplete ? [...this.#newest.values()].map(({ payload }) => payload) : undefined;
  }
}
