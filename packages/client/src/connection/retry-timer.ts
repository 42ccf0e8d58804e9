/** Longest delay of the first retry, in ms. */
const FIRST_MS = 250;
const DEFAULT_MAX_MS = 30_000;

/**
 * Delays retries: by up to 250 ms at first, then by 250 to 500 ms, and so on up to a limit. The delays are
 * random, so that the clients of a server that has stopped do not return at the same time.
 */
export class RetryTimer {
  readonly #retry: () => void;
  readonly #max: number;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param max longest delay in ms, 30 s by default */
  constructor(retry: () => void, max: number = DEFAULT_MAX_MS) {
    this.#retry = retry;
    this.#max = max;
  }

  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Retries after a delay that grows with each failure. @param atLeast shortest delay, in ms */
  fail(atLeast = 0): void {
    const longest = Math.min(FIRST_MS * 2 ** this.#failures, this.#max);
    const shortest = this.#failures++ === 0 ? 0 : longest / 2;
    const delay = shortest + Math.random() * (longest - shortest);
    this.soon(Math.max(delay, atLeast));
  }

  /** The delays begin anew. */
  succeed(): void {
    this.#failures = 0;
  }

  /** Retries at once, and the delays begin anew. */
  now(): void {
    this.succeed();
    this.soon();
  }

  soon(ms = 0): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#retry();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
