import { LRUCache } from 'lru-cache';

/** Number of callers that are remembered; the least recent one is forgotten first. */
const MAX_CALLERS = 10_000;
/** Number of seconds of which a caller may replay all events at once. */
const BURST_S = 10;

/** Seconds of a caller's own rate that do not count towards the rate of all callers together. */
const OWN_S = 2.5;
/** Maximum number of callers that can replay at their full rate at the same time, above `OWN_S`. */
const FULL_RATES = 10;

interface Credit {
  events: number;
  at: number;
}

/**
 * Rate limit for replayed events: those that a subgraph sends again because a caller has resumed a
 * stream from an old cursor. Events are counted after their delivery, so a caller may exceed its
 * credit; it then waits until the credit is balanced. All callers that have replayed many events
 * share a total rate.
 */
export class ReplayRate {
  readonly #perSecond: number;
  /** Credit of all callers that have used up their own seconds. */
  readonly #total: Credit;
  readonly #credits = new LRUCache<string, Credit>({ max: MAX_CALLERS });

  /** @param perSecond maximum number of events per second of one caller; ten times as many at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#total = { events: perSecond * FULL_RATES, at: performance.now() };
  }

  /** @param caller undefined for a caller without a limit */
  spend(caller: string | undefined, events: number): void {
    if (caller === undefined) return;
    const credit = this.#creditOf(caller);
    credit.events -= events;
    if (this.#isGreedy(credit)) this.#total.events -= events;
  }

  /** Returns the time after which the caller may replay more, in milliseconds; 0: at once. */
  waitMs(caller: string | undefined): number {
    if (caller === undefined) return 0;
    const credit = this.#creditOf(caller);
    const ownMs = waitOf(credit, this.#perSecond);
    if (!this.#isGreedy(credit)) return ownMs;
    const rate = this.#perSecond * FULL_RATES;
    earn(this.#total, rate, rate);
    return Math.max(ownMs, waitOf(this.#total, rate));
  }

  /** Whether a caller has used up its own seconds. */
  #isGreedy({ events }: Credit): boolean {
    return events < this.#perSecond * (BURST_S - OWN_S);
  }

  #creditOf(caller: string): Credit {
    const burst = this.#perSecond * BURST_S;
    const credit = this.#credits.get(caller) ?? { events: burst, at: performance.now() };
    earn(credit, this.#perSecond, burst);
    this.#credits.set(caller, credit);
    return credit;
  }
}

function earn(credit: Credit, perSecond: number, max: number): void {
  const now = performance.now();
  credit.events = Math.min(max, credit.events + ((now - credit.at) / 1000) * perSecond);
  credit.at = now;
}

/** Returns the time after which a credit is balanced, in milliseconds. */
function waitOf({ events }: Credit, perSecond: number): number {
  return events >= 0 ? 0 : Math.ceil((-events / perSecond) * 1000);
}
