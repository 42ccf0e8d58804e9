import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { atExpiry } from './expiry.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([1_000, 30 * DAY_MS, 400 * DAY_MS])(
  'calls back when the token expires in %i ms, not earlier',
  (inMs) => {
    const expired = vi.fn();
    atExpiry(Date.now() + inMs, expired);
    vi.advanceTimersByTime(inMs - 1);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(expired).toHaveBeenCalledOnce();
  },
);

it('calls back at once if the expiry is past, and never if there is no expiry or the callback is cancelled', () => {
  const [past, never, off] = [vi.fn(), vi.fn(), vi.fn()];
  atExpiry(Date.now() - 1, past);
  atExpiry(Number.POSITIVE_INFINITY, never);
  atExpiry(Date.now() + 30 * DAY_MS, off)();
  vi.advanceTimersByTime(100 * DAY_MS);
  expect([past, never, off].map(({ mock }) => mock.calls.length)).toEqual([1, 0, 0]);
});
