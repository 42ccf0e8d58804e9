import { LRUCache } from 'lru-cache';

/** Number of callers that are remembered; the least recent one is forgotten first. */
const MAX_CALLERS = 10_000;
/** Number of seconds of which a caller may replay all events at once. */
const BURST_S = 10;

interface Credit {
  events: number;
  at: number;
}

/**
 * Rate limit for replayed events: those that a subgraph sends again because a caller has resumed a
 * stream from an old cursor. Events are counted after their delivery, so a caller may exceed its
 * credit; it then waits until the credit is balanced.
 */
export class ReplayRate {
  readonly #perSecond: number;
  readonly #credits = new LRUCache<string, Credit>({ max: MAX_CALLERS });

  /** @param perSecond maximum number of events per second of one caller; ten times as many at once */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** @param caller undefined for a caller without a limit */
  spend(caller: string | undefined, events: number): void {
    if (caller !== undefined) this.#creditOf(caller).events -= events;
  }

  /** Returns the time after which the caller may replay more, in milliseconds; 0: at once. */
  waitMs(caller: string | undefined): number {
    if (caller === undefined) return 0;
    const { events } = this.#creditOf(caller);
    return events >= 0 ? 0 : Math.ceil((-events / this.#perSecond) * 1000);
  }

  #creditOf(caller: string): Credit {
    const now = performance.now();
    const burst = this.#perSecond * BURST_S;
    const credit = this.#credits.get(caller) ?? { events: burst, at: now };
    const earned = ((now - credit.at) / 1000) * this.#perSecond;
    credit.events = Math.min(burst, credit.events + earned);
    credit.at = now;
    this.#credits.set(caller, credit);
    return credit;
  }
}
