import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ReplayRate } from './replay-rate.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  return () => vi.useRealTimers();
});

describe('the rate limit of replayed events', () => {
  it('allows ten seconds of events at once, then as many per second', () => {
    const rate = new ReplayRate(100);
    rate.spend('ann', 1_000);
    expect(rate.waitMs('ann')).toBe(0);
    rate.spend('ann', 50);
    expect(rate.waitMs('ann')).toBe(500);
    vi.advanceTimersByTime(400);
    expect(rate.waitMs('ann')).toBe(100);
    vi.advanceTimersByTime(60_000);
    rate.spend('ann', 1_001);
    expect(rate.waitMs('ann')).toBe(10);
  });

  it('lets callers that have replayed many events share ten times the rate', () => {
    const rate = new ReplayRate(100);
    for (let n = 0; n < 20; n += 1) rate.spend(`greedy ${n}`, 300);
    expect(rate.waitMs('greedy 0')).toBe(5_000);
    rate.spend('modest', 250);
    expect(rate.waitMs('modest')).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(rate.waitMs('greedy 0')).toBe(0);
  });

  it('counts each caller alone, and none without a key', () => {
    const rate = new ReplayRate(1);
    rate.spend('ann', 100);
    rate.spend(undefined, 100);
    expect(rate.waitMs('ann')).toBeGreaterThan(0);
    expect(rate.waitMs('bob')).toBe(0);
    expect(rate.waitMs(undefined)).toBe(0);
  });
});
