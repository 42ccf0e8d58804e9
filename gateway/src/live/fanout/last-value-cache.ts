import type { LivePayload } from '../upstream/live-payload.ts';

/** Newest payload of each key, for late subscribers of a conflated stream without cursors. */
export class LastValueCache {
  readonly #limit: number;
  readonly #newest = new Map<string, { payload: LivePayload; subscription: number }>();
  /** Number of the current upstream subscription. */
  #subscription = 0;
  #isComplete = true;

  /** @param limit maximum number of payloads; if it is exceeded, the cache is discarded */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Stores a payload.
   * @returns false if clients already have the payload, because the subgraph has repeated it after
   * a reconnect
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

  /** Call after a resubscription, because the subgraph may then repeat cached payloads. */
  resubscribed(): void {
    this.#subscription += 1;
  }

  /** Returns the payloads, oldest first; undefined after the limit has been exceeded. */
  payloads(): readonly LivePayload[] | undefined {
    return this.#isComplete ? [...this.#newest.values()].map(({ payload }) => payload) : undefined;
  }
}
