/**
 * Maximum time that events of all subscriptions may take in one iteration of the event loop, in
 * milliseconds. A query takes several iterations, and each of them may last longer by this time.
 */
const BUSY_MS = 2;
/** Number of waiting subscriptions that continue in one iteration, each with at least one event. */
const WOKEN = 32;
/**
 * Pause after a costly event, as a multiple of its time, and its maximum in milliseconds. Costly events
 * of up to 33 ms thus take at most a quarter of the time of this process and of its database together.
 */
const PAUSE_FACTOR = 3;
const MAX_PAUSE_MS = 100;
/** Number of slow subscriptions that continue with one event each, between two pauses. */
const SLOW_WOKEN = 16;

/**
 * Shares the event loop among the events of all subscriptions, so that queries are answered in between.
 * Without these pauses, a subscription that replays thousands of events occupies the event loop until the
 * last one, because a message that fits into the socket's buffer is sent without waiting. Costly events
 * are executed one at a time, in order of arrival. The events of slow subscriptions together take at most a
 * quarter of the time.
 */
export class EventTurns {
  readonly #waiting: (() => void)[] = [];
  readonly #costly: (() => void)[] = [];
  readonly #slow: (() => void)[] = [];
  #busySince: number | undefined;
  #hasCostly = false;
  #hasSlow = false;
  readonly #starts: (() => void)[] = [];
  #hasStart = false;

  /** Returns a promise of the event's turn; undefined if the event may be executed at once. */
  next(): Promise<void> | undefined {
    if (this.#busySince === undefined) {
      this.#busySince = performance.now();
      setImmediate(() => this.#iterate());
    }
    if (performance.now() - this.#busySince < BUSY_MS) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Returns a promise of the turn in which a subscription may start; undefined if it may start at once.
   * One subscription starts in each iteration, because reading and validating one takes up to 1 ms.
   */
  nextStart(): Promise<void> | undefined {
    if (!this.#hasStart) {
      this.#hasStart = true;
      setImmediate(() => this.#continueStarts());
      return undefined;
    }
    return new Promise((resolve) => this.#starts.push(resolve));
  }

  /** Returns a promise of the turn of a slow subscription's event. */
  nextSlow(): Promise<void> {
    return new Promise((resolve) => {
      this.#slow.push(resolve);
      if (!this.#hasSlow) this.#continueSlow();
    });
  }

  /** Executes a costly event in its turn. */
  async runCostly<T>(execute: () => Promise<T>): Promise<T> {
    if (this.#hasCostly) await new Promise<void>((resolve) => this.#costly.push(resolve));
    this.#hasCostly = true;
    const startedAt = performance.now();
    try {
      return await execute();
    } finally {
      const ms = performance.now() - startedAt;
      setTimeout(() => this.#endCostly(), Math.min(ms * PAUSE_FACTOR, MAX_PAUSE_MS));
    }
  }

  #iterate(): void {
    this.#busySince = undefined;
    for (const resolve of this.#waiting.splice(0, WOKEN)) resolve();
    if (this.#waiting.length === 0) return;
    this.#busySince = performance.now();
    setImmediate(() => this.#iterate());
  }

  #continueSlow(): void {
    const woken = this.#slow.splice(0, SLOW_WOKEN);
    this.#hasSlow = woken.length > 0;
    if (!this.#hasSlow) return;
    const startedAt = performance.now();
    for (const resolve of woken) resolve();
    setImmediate(() => {
      const ms = performance.now() - startedAt;
      setTimeout(() => this.#continueSlow(), Math.min(ms * PAUSE_FACTOR, MAX_PAUSE_MS));
    });
  }

  #continueStarts(): void {
    const next = this.#starts.shift();
    this.#hasStart = next !== undefined;
    if (next === undefined) return;
    next();
    setImmediate(() => this.#continueStarts());
  }

  #endCostly(): void {
    const next = this.#costly.shift();
    if (next) next();
    else this.#hasCostly = false;
  }
}
