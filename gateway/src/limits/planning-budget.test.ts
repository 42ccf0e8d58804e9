import { createMetrics } from '@gudang/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from './byte-budget.ts';
import { PlanningBudget } from './planning-budget.ts';

const SITI = { identity: { subject: 'Siti' }, address: '203.0.113.9' };
const BUDI = { identity: { subject: 'Budi' }, address: '203.0.113.9' };
const LOCAL = { identity: {}, address: '127.0.0.1' };

let charges: number[];
/** CPU time that the process did not get. */
let waitedMs: number;
let budget: PlanningBudget;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  charges = [];
  waitedMs = 0;
  const rate = {
    charge: (_identity: object, _address: string, share: number) => void charges.push(share),
  };
  budget = new PlanningBudget(rate, createMetrics('test'), () => performance.now() - waitedMs);
});
afterEach(() => {
  vi.useRealTimers();
});

const plan = (ms: number, caller: Caller = SITI) =>
  budget.charged(caller, () => budget.plan(() => void vi.advanceTimersByTime(ms)));
const tooMany = expect.objectContaining({
  status: 503,
  extensions: { code: 'OVERLOADED', retryable: true },
});

describe('PlanningBudget', () => {
  it('charges a caller with the share of a second', () => {
    plan(50);
    plan(500);
    expect(charges).toEqual([0.2, 2]);
  });

  it('does not charge for the time in which other processes ran', () => {
    budget.charged(SITI, () =>
      budget.plan(() => {
        vi.advanceTimersByTime(500);
        waitedMs += 450;
      }),
    );
    expect(charges).toEqual([0.2]);
  });

  it('charges nothing for work that plans nothing, and charges plans that fail', () => {
    expect(budget.charged(SITI, () => 'cached')).toBe('cached');
    const failing = () => {
      vi.advanceTimersByTime(25);
      throw new Error('no plan');
    };
    expect(() => budget.charged(SITI, () => budget.plan(failing))).toThrow('no plan');
    expect(charges).toEqual([0.1]);
  });

  it('refuses to plan when callers have used a quarter of the time, and recovers', () => {
    plan(800);
    expect(() => plan(1)).toThrow(tooMany);
    vi.advanceTimersByTime(500);
    plan(1);
  });

  it('plans for a caller who has used little time even when others have used up theirs', () => {
    plan(5_000);
    plan(60, BUDI);
    plan(60, BUDI);
    expect(() => plan(1, BUDI)).toThrow(tooMany);
    vi.advanceTimersByTime(2_500);
    plan(1, BUDI);
  });

  it('does not limit anonymous callers from a loopback address', () => {
    plan(5_000, LOCAL);
    plan(1, LOCAL);
    plan(1);
  });

  it('does not limit planning that no caller has caused', () => {
    plan(5_000);
    expect(budget.plan(() => 'planned')).toBe('planned');
  });

  it('does not keep callers waiting after such planning', () => {
    budget.plan(() => void vi.advanceTimersByTime(5_000));
    plan(1);
    expect(charges).toHaveLength(1);
  });
});
