import { beforeEach, expect, it, vi } from 'vitest';
import { paced } from './pacing.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const STEP_MS = 50;

/** Begins to tell so many, and notes who was told. */
function tell(count: number, how?: { atOnce: number; spreadMs: number }) {
  const all = new Set(Array.from({ length: count }, (_, index) => index));
  const told: number[] = [];
  let over = false;
  const done = paced(all, (one) => told.push(one), how).then(() => {
    over = true;
  });
  return { all, told, over: () => over, done };
}

it('tells a few at once', async () => {
  const { told, done } = tell(100);
  await done;
  expect(told).toHaveLength(100);
  expect(vi.getTimerCount()).toBe(0);
});

it('tells many in steps, each once, and the last within the time', async () => {
  const { told, over } = tell(20_000, { atOnce: 10, spreadMs: 4_000 });
  expect(told).toHaveLength(250);
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(told).toHaveLength(500);
  await vi.advanceTimersByTimeAsync(4_000 - 2 * STEP_MS);
  expect(told).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  expect(over()).toBe(true);
});

it('passes over those that have left, and ends when all have', async () => {
  const { all, told, over } = tell(30, { atOnce: 10, spreadMs: 1 });
  const gone = tell(30, { atOnce: 10, spreadMs: 1_000 });
  expect(told).toHaveLength(30);
  expect(gone.told).toHaveLength(10);
  gone.all.delete(10);
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(gone.told).toHaveLength(19);
  gone.all.clear();
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(gone.over()).toBe(true);
  expect(gone.told).toHaveLength(19);
  expect(vi.getTimerCount()).toBe(0);
  expect(all.size).toBe(30);
  expect(over()).toBe(true);
});
