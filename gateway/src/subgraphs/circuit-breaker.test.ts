import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Admission, CircuitBreaker, REFUSED } from './circuit-breaker.ts';

const LIMITS = { failures: 3, share: 0.5, windowMs: 100, pauseMs: 50 };

let now: number;
let breaker: CircuitBreaker;
beforeEach(() => {
  now = 1_000;
  breaker = new CircuitBreaker(LIMITS, () => now);
});

const fail = (count: number): void => {
  for (let n = 0; n < count; n += 1) breaker.failed(breaker.admit(true));
};
const succeed = (count: number): void => {
  for (let n = 0; n < count; n += 1) breaker.succeeded(breaker.admit(true));
};

describe('CircuitBreaker', () => {
  it('opens at the last of the failures, and refuses every request during the pause', () => {
    fail(2);
    expect(breaker.state).toBe('closed');
    expect(breaker.failed(breaker.admit(true))).toBe(true);
    expect(breaker.state).toBe('open');
    now += LIMITS.pauseMs - 1;
    expect(breaker.admit(true)).toBe(REFUSED);
    expect(breaker.admit(false)).toBe(REFUSED);
  });

  it('stays closed while most requests are answered, and opens if half of them fail', () => {
    fail(1);
    succeed(4);
    fail(2);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
  });

  it('forgets failures that are older than the window, but not failures in a row', () => {
    fail(2);
    succeed(1);
    now += LIMITS.windowMs + 1;
    fail(2);
    expect(breaker.state).toBe('closed');
    now += LIMITS.windowMs + 1;
    fail(1);
    expect(breaker.state).toBe('open');
  });

  it('admits one query after the pause, and no mutation', () => {
    fail(3);
    now += LIMITS.pauseMs;
    expect(breaker.state).toBe('half-open');
    expect(breaker.admit(false)).toBe(REFUSED);
    const trial = breaker.admit(true);
    expect(trial).not.toBe(REFUSED);
    expect(breaker.admit(true)).toBe(REFUSED);
    expect(breaker.succeeded(trial)).toBe(true);
    expect(breaker.state).toBe('closed');
    expect(breaker.admit(false)).not.toBe(REFUSED);
  });

  it('pauses again if the query fails, and tries the next one at once if it is abandoned', () => {
    fail(3);
    now += LIMITS.pauseMs;
    breaker.failed(breaker.admit(true));
    expect(breaker.state).toBe('open');
    now += LIMITS.pauseMs;
    breaker.abandoned(breaker.admit(true));
    expect(breaker.needsTrial).toBe(true);
  });

  it('ignores requests that were sent before it opened', () => {
    const earlier = Array.from({ length: 5 }, () => breaker.admit(true));
    fail(3);
    now += LIMITS.pauseMs;
    const trial = breaker.admit(true);
    breaker.succeeded(earlier[0] ?? REFUSED);
    expect(breaker.admit(true)).toBe(REFUSED);
    breaker.succeeded(trial);
    for (const one of earlier) breaker.failed(one);
    expect(breaker.state).toBe('closed');
  });

  it('never opens without a number of failures', () => {
    breaker = new CircuitBreaker({ ...LIMITS, failures: 0 }, () => now);
    fail(1_000);
    expect(breaker.state).toBe('closed');
  });

  it('follows its rules in random histories', () => {
    const step = fc.record({
      wait: fc.constantFrom(0, 1, 30, 60, 120),
      isQuery: fc.boolean(),
      outcome: fc.constantFrom('failed', 'failed', 'succeeded', 'abandoned', 'pending'),
      /** Which pending request ends before this step. */
      ends: fc.option(fc.nat(5)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let time = 0;
        const tested = new CircuitBreaker(LIMITS, () => time);
        const model = new Model(LIMITS);
        const pending: { admission: Admission; era: number }[] = [];
        for (const { wait, isQuery, outcome, ends } of steps) {
          time += wait;
          const [late] = ends === null ? [] : pending.splice(ends, 1);
          if (late) {
            tested.failed(late.admission);
            model.ended(late.era, 'failed', time);
          }
          const admission = tested.admit(isQuery);
          const era = model.admit(isQuery, time);
          expect(admission !== REFUSED).toBe(era !== undefined);
          if (era === undefined) continue;
          if (outcome === 'pending') pending.push({ admission, era });
          else {
            tested[outcome](admission);
            model.ended(era, outcome, time);
          }
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

interface Outcome {
  readonly at: number;
  readonly isFailure: boolean;
}

/** The rules of a circuit breaker, read from the whole history of its current state. */
class Model {
  readonly #limits: typeof LIMITS;
  #state: 'closed' | 'open' | 'trial' = 'closed';
  #era = 0;
  #openedAt = 0;
  #history: Outcome[] = [];

  constructor(limits: typeof LIMITS) {
    this.#limits = limits;
  }

  admit(isQuery: boolean, now: number): number | undefined {
    if (this.#state === 'closed') return this.#era;
    const isPaused = this.#state === 'trial' || now - this.#openedAt < this.#limits.pauseMs;
    if (isPaused || !isQuery) return undefined;
    this.#become('trial');
    return this.#era;
  }

  ended(era: number, outcome: 'failed' | 'succeeded' | 'abandoned', now: number): void {
    if (era !== this.#era || this.#state === 'open') return;
    if (this.#state === 'trial') {
      if (outcome === 'failed') this.#openedAt = now;
      this.#become(outcome === 'succeeded' ? 'closed' : 'open');
      return;
    }
    if (outcome === 'abandoned') return;
    this.#history.push({ at: now, isFailure: outcome === 'failed' });
    if (outcome !== 'failed' || !this.#isBroken()) return;
    this.#openedAt = now;
    this.#become('open');
  }

  #become(state: 'closed' | 'open' | 'trial'): void {
    this.#state = state;
    this.#era += 1;
    this.#history = [];
  }

  /** Whether the last window, which begins at a failure, has too many failures. */
  #isBroken(): boolean {
    let window: Outcome[] = [];
    for (const one of this.#history) {
      const [first] = window;
      const isOver = !first || one.at - first.at > this.#limits.windowMs;
      const hadSuccess = window.some(({ isFailure }) => !isFailure);
      if (one.isFailure && (!first || (isOver && hadSuccess))) window = [];
      if (one.isFailure || window.length > 0) window.push(one);
    }
    const failures = window.filter(({ isFailure }) => isFailure).length;
    return failures >= this.#limits.failures && failures >= this.#limits.share * window.length;
  }
}
