import { callerKey, isLoopbackAddress, type Metrics } from '@gudang/runtime';
import { LRUCache } from 'lru-cache';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { RequestError } from '../errors/request-error.ts';
import type { Caller } from './byte-budget.ts';
import type { RequestRate } from './request-rate.ts';

/** Time for planning that uses up a caller's rate limit of one second, in milliseconds. */
const CALLER_MS = 250;
/**
 * Share of a caller's rate limit of one second as which a rejected operation counts, because measuring a
 * large operation takes as long as answering a small one.
 */
const REJECTED_SHARE = 0.1;
/** Share of the time that all callers together may use for planning. */
const TOTAL_SHARE = 0.25;
/** Time for planning that may exceed this share, in milliseconds. */
const BURST_MS = 500;
/**
 * Time for planning that a caller may use although all callers together have used up theirs, at once in
 * milliseconds, and as a share of the time.
 */
const OWN_MS = 100;
const OWN_SHARE = 0.01;
/** Number of callers that are remembered; the least recent one is forgotten first. */
const MAX_CALLERS = 10_000;

/** Time that was spent, less the time that may be spent since. */
interface Debt {
  ms: number;
  updatedAt: number;
}

/**
 * The time that the gateway spends on parsing, validating and planning operations that are not cached.
 * All of them block the event loop and cannot be interrupted; the limits of an operation bound the time of
 * a single plan.
 */
export class PlanningBudget {
  readonly #rate: Pick<RequestRate, 'charge'>;
  readonly #cpuMs: () => number;
  readonly #seconds: { inc(seconds: number): void };
  readonly #total: Debt = { ms: 0, updatedAt: performance.now() };
  readonly #own = new LRUCache<string, Debt>({ max: MAX_CALLERS });
  #spentMs = 0;
  /** The caller who is charged; undefined if planning is not limited. */
  #caller: Caller | undefined;

  /** @param cpuMs returns the CPU time of the process, in milliseconds */
  constructor(
    rate: Pick<RequestRate, 'charge'>,
    metrics: Metrics,
    cpuMs: () => number = processCpuMs,
  ) {
    this.#rate = rate;
    this.#cpuMs = cpuMs;
    this.#seconds = metrics.counter(
      'gateway_planning_seconds_total',
      'Time for parsing, validating and planning operations that were not cached',
    );
  }

  /**
   * Plans one operation.
   * @throws {RequestError} 503 `OVERLOADED` if callers, and this caller as well, have used up the time
   * for planning
   */
  plan<T>(plan: () => T): T {
    const startedAt = performance.now();
    const cpuBefore = this.#cpuMs();
    reduce(this.#total, TOTAL_SHARE);
    // Streams are planned again when the supergraph changes. This must not keep callers waiting.
    const own = this.#ownDebt();
    if (own && this.#total.ms > BURST_MS && own.ms > OWN_MS) throw OUT_OF_TIME;
    try {
      return plan();
    } finally {
      // On a busy machine, callers must not be charged for the time in which this process did not run.
      const ms = Math.min(performance.now() - startedAt, this.#cpuMs() - cpuBefore);
      if (own) {
        own.ms += ms;
        this.#total.ms += ms;
      }
      this.#spentMs += ms;
      this.#seconds.inc(ms / 1000);
    }
  }

  /** Charges a caller for all calls of `plan` during synchronous work, and for exceeding a limit. */
  charged<T>(caller: Caller, work: () => T): T {
    const before = this.#spentMs;
    this.#caller = caller;
    try {
      return work();
    } catch (error) {
      if (error instanceof LimitExceeded) {
        this.#rate.charge(caller.identity, caller.address, REJECTED_SHARE);
      }
      throw error;
    } finally {
      this.#caller = undefined;
      const ms = this.#spentMs - before;
      if (ms > 0) this.#rate.charge(caller.identity, caller.address, ms / CALLER_MS);
    }
  }

  /** Returns the debt of the caller who is charged; undefined if the caller has no limit. */
  #ownDebt(): Debt | undefined {
    if (!this.#caller) return undefined;
    const { identity, address } = this.#caller;
    if (identity.subject === undefined && isLoopbackAddress(address)) return undefined;
    const key = callerKey(identity.subject, address);
    const known = this.#own.get(key);
    const debt = known ?? { ms: 0, updatedAt: performance.now() };
    if (!known) this.#own.set(key, debt);
    reduce(debt, OWN_SHARE);
    return debt;
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Reduces a debt by a share of the time since its last reduction. */
function reduce(debt: Debt, share: number): void {
  const now = performance.now();
  debt.ms = Math.max(0, debt.ms - (now - debt.updatedAt) * share);
  debt.updatedAt = now;
}

const OUT_OF_TIME = new RequestError(
  503,
  'The gateway is planning too many new operations: try again',
  { code: 'OVERLOADED', retryable: true },
);
