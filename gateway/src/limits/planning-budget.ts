import type { Metrics } from '@gudang/runtime';
import { RequestError } from '../errors/request-error.ts';
import type { Caller } from './byte-budget.ts';
import type { RequestRate } from './request-rate.ts';

/** Time for planning that uses up a caller's rate limit of one second, in milliseconds. */
const CALLER_MS = 250;
/** Share of the time that all callers together may use for planning. */
const TOTAL_SHARE = 0.5;
/** Time for planning that may exceed this share, such as after a start, in milliseconds. */
const BURST_MS = 1_000;

/**
 * The time that the gateway spends on parsing and planning operations that are not cached. Both block the
 * event loop and cannot be interrupted; the limits of an operation bound the time of a single plan.
 */
export class PlanningBudget {
  readonly #rate: Pick<RequestRate, 'charge'>;
  readonly #seconds: { inc(seconds: number): void };
  #spentMs = 0;
  #debtMs = 0;
  #updatedAt = performance.now();
  #isCharging = false;

  constructor(rate: Pick<RequestRate, 'charge'>, metrics: Metrics) {
    this.#rate = rate;
    this.#seconds = metrics.counter(
      'gateway_planning_seconds_total',
      'Time for parsing and planning operations that were not cached',
    );
  }

  /**
   * Plans one operation.
   * @throws {RequestError} 503 `OVERLOADED` if callers have used up the time for planning
   */
  plan<T>(plan: () => T): T {
    const startedAt = performance.now();
    const decayed = this.#debtMs - (startedAt - this.#updatedAt) * TOTAL_SHARE;
    this.#debtMs = Math.max(0, decayed);
    this.#updatedAt = startedAt;
    if (this.#isCharging && this.#debtMs > BURST_MS) throw OUT_OF_TIME;
    try {
      return plan();
    } finally {
      const ms = performance.now() - startedAt;
      // Streams are planned again when the supergraph changes. This must not keep callers waiting.
      if (this.#isCharging) this.#debtMs += ms;
      this.#spentMs += ms;
      this.#seconds.inc(ms / 1000);
    }
  }

  /** Charges a caller for all calls of `plan` during synchronous work. */
  charged<T>({ identity, address }: Caller, work: () => T): T {
    const before = this.#spentMs;
    this.#isCharging = true;
    try {
      return work();
    } finally {
      this.#isCharging = false;
      const ms = this.#spentMs - before;
      if (ms > 0) this.#rate.charge(identity, address, ms / CALLER_MS);
    }
  }
}

const OUT_OF_TIME = new RequestError(
  503,
  'The gateway is planning too many new operations: try again',
  { code: 'OVERLOADED', retryable: true },
);
