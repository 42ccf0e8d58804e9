import type { LivePayload } from '../upstream/live-payload.ts';

/** Newest payload of each key, for late subscribers of a conflated stream without cursors. */
export class LastValueCache {
  readonly #limit: number;
  readonly #newest = new Map<string, { payload: LivePayload; subscription: number }>();
  /** The number of the upstream subscription that sends now. */
  #subscription = 0;
  #isComplete = true;

  /** @param limit maximum payloads; above it the cache is discarded */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Stores a payload. Returns whether it is new: after a reconnect the subgraph may repeat payloads
   * that clients already have.
   */
  add(payload: LivePayload): boolean {
    if (payload.key === undefined) return true;
    const last = this.#newest.get(payload.key);
    const repeats =
      last && last.subscription < this.#subscription && last.payload.json === payload.json;
    this.#newest.delete(payload.key);
    this.#newest.set(payload.key, { payload, subscription: this.#subscription });
    if (this.#newest.size > this.#limit) {
      this.#isComplete = false;
      this.#newest.clear();
    }
    return !repeats;
  }

  /** Call when the stream was resubscribed: the subgraph may repeat cached payloads. */
  resubscribed(): void {
    this.#subscription += 1;
  }

  /** The payloads, oldest first; undefined once the limit was exceeded. */
  payloads(): readonly LivePayload[] | undefined {
    return this.#isComplete ? [...this.#newest.values()].map(({ payload }) => payload) : undefined;
  }
}
