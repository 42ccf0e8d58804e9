import type { BreakerLimits } from './subgraph-limits.ts';

/** `half-open`: the pause is over, and the next query tries whether the subgraph answers again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Admission of one request; `REFUSED` if it must not be sent. */
export type Admission = number;
export const REFUSED: Admission = 0;

/**
 * States of a circuit breaker.
 *
 * - `closed`: every request is sent. → `open` when at least `failures` requests, and at least
 *   `share` of the requests since the first of them, have failed within `windowMs`.
 * - `open`: every request is refused at once. → `trial` at the first query after `pauseMs`.
 * - `trial`: one query has been sent, and all other requests are refused. → `closed` if the query is
 *   answered, `open` if it fails, or if it is abandoned, without another pause.
 *
 * A mutation is never a trial, because its failure could not be repaired by a retry.
 */
type State = 'closed' | 'open' | 'trial';

/**
 * Decides whether requests are sent to one subgraph. A success costs one comparison and one addition:
 * a window begins at a failure, so that no success reads the clock.
 */
export class CircuitBreaker {
  readonly #limits: BreakerLimits;
  readonly #now: () => number;
  #state: State = 'closed';
  /** Number of changes of the state. Outcomes of requests of an earlier state do not count. */
  #epoch: Admission = 1;
  /** Beginning of the window, or time of the opening. */
  #since = 0;
  /** Requests and failures since the beginning of the window. */
  #requests = 0;
  #failures = 0;

  /** @param now the time in milliseconds */
  constructor(limits: BreakerLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get state(): BreakerState {
    if (this.#state === 'closed') return 'closed';
    const isPaused = this.#state === 'open' && this.#now() < this.#since + this.#limits.pauseMs;
    return isPaused ? 'open' : 'half-open';
  }

  /** Whether a query would be sent as a trial. */
  get needsTrial(): boolean {
    return this.#state === 'open' && this.state === 'half-open';
  }

  /** @returns the request's admission; `REFUSED` if it must not be sent */
  admit(isQuery: boolean): Admission {
    if (this.#state === 'closed') return this.#epoch;
    return isQuery && this.needsTrial ? this.#become('trial') : REFUSED;
  }

  /** @returns whether the breaker has closed */
  succeeded(admission: Admission): boolean {
    if (admission !== this.#epoch) return false;
    this.#requests += 1;
    if (this.#state === 'closed') return false;
    this.#failures = 0;
    this.#become('closed');
    return true;
  }

  /** @returns whether the breaker has opened after it was closed */
  failed(admission: Admission): boolean {
    if (admission !== this.#epoch) return false;
    const { failures, share, windowMs } = this.#limits;
    const now = this.#now();
    if (this.#state === 'trial') {
      this.#since = now;
      this.#become('open');
      return false;
    }
    // Failures without a success in between always belong together, however rare requests are.
    const isOver = now - this.#since > windowMs && this.#failures < this.#requests;
    if (this.#failures === 0 || isOver) {
      this.#since = now;
      this.#requests = 0;
      this.#failures = 0;
    }
    this.#requests += 1;
    this.#failures += 1;
    if (failures === 0 || this.#failures < failures) return false;
    if (this.#failures < share * this.#requests) return false;
    this.#since = now;
    this.#become('open');
    return true;
  }

  /** Call if a request has ended without an outcome, for example because its client has left. */
  abandoned(admission: Admission): void {
    if (this.#state === 'trial' && admission === this.#epoch) this.#become('open');
  }

  #become(state: State): Admission {
    this.#state = state;
    this.#epoch += 1;
    return this.#epoch;
  }
}
