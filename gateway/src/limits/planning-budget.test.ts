import { createMetrics } from '@gudang/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PlanningBudget } from './planning-budget.ts';

const SITI = { identity: { subject: 'Siti' }, address: '203.0.113.9' };

let charges: number[];
let budget: PlanningBudget;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  charges = [];
  const rate = {
    charge: (_identity: object, _address: string, share: number) => void charges.push(share),
  };
  budget = new PlanningBudget(rate, createMetrics('test'));
});
afterEach(() => {
  vi.useRealTimers();
});

const plan = (ms: number) =>
  budget.charged(SITI, () => budget.plan(() => void vi.advanceTimersByTime(ms)));
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

  it('charges nothing for work that plans nothing, and charges plans that fail', () => {
    expect(budget.charged(SITI, () => 'cached')).toBe('cached');
    const failing = () => {
      vi.advanceTimersByTime(25);
      throw new Error('no plan');
    };
    expect(() => budget.charged(SITI, () => budget.plan(failing))).toThrow('no plan');
    expect(charges).toEqual([0.1]);
  });

  it('refuses to plan when callers have used half of the time, and recovers', () => {
    plan(2_100);
    expect(() => plan(1)).toThrow(tooMany);
    vi.advanceTimersByTime(1_000);
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
