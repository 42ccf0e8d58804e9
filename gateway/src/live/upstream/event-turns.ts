/** Maximum time that executions may occupy one iteration of the event loop, in milliseconds. */
const BUSY_MS = 5;

/**
 * Shares the event loop among the executions of all streams, so that other requests are answered in
 * between. Executions that must wait continue one per iteration of the event loop, in order of
 * arrival, however many streams there are.
 */
export class EventTurns {
  readonly #waiting: (() => void)[] = [];
  #iteration = 0;
  #spentMs = 0;
  #isScheduled = false;

  /** Number of the current iteration, for `spend`. */
  get iteration(): number {
    return this.#iteration;
  }

  /** Whether this iteration of the event loop has been used up. */
  get mustWait(): boolean {
    return this.#spentMs >= BUSY_MS;
  }

  /** Resolves at the caller's turn, in a later iteration of the event loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  /**
   * Call after each execution. The time counts only if the execution ended in the iteration in
   * which it began: otherwise it has waited for a subgraph.
   */
  spend(iteration: number, ms: number): void {
    if (iteration !== this.#iteration) return;
    this.#spentMs += ms;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#iterate());
  }

  #iterate(): void {
    this.#isScheduled = false;
    this.#iteration += 1;
    this.#spentMs = 0;
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) this.#schedule();
  }
}
