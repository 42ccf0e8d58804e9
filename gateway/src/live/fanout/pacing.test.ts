import { beforeEach, expect, it, vi } from 'vitest';
import { paced } from './pacing.ts';

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const STEP_MS = 50;

/** Starts a paced action on this many items, and records the items that it was applied to. */
function start(count: number, how?: { atOnce: number; spreadMs: number }) {
  const all = new Set(Array.from({ length: count }, (_, index) => index));
  const acted: number[] = [];
  let over = false;
  const done = paced(all, (item) => acted.push(item), how).then(() => {
    over = true;
  });
  return { all, acted, over: () => over, done };
}

it('acts on a few items immediately', async () => {
  const { acted, done } = start(100);
  await done;
  expect(acted).toHaveLength(100);
  expect(vi.getTimerCount()).toBe(0);
});

it('acts on many items in steps, once on each item, and ends in time', async () => {
  const { acted, over } = start(20_000, { atOnce: 10, spreadMs: 4_000 });
  expect(acted).toHaveLength(250);
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(acted).toHaveLength(500);
  await vi.advanceTimersByTimeAsync(4_000 - 2 * STEP_MS);
  expect(acted).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  expect(over()).toBe(true);
});

it('skips items that have left the set, and ends when all items have left it', async () => {
  const { all, acted, over } = start(30, { atOnce: 10, spreadMs: 1 });
  const gone = start(30, { atOnce: 10, spreadMs: 1_000 });
  expect(acted).toHaveLength(30);
  expect(gone.acted).toHaveLength(10);
  gone.all.delete(10);
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(gone.acted).toHaveLength(19);
  gone.all.clear();
  await vi.advanceTimersByTimeAsync(STEP_MS);
  expect(gone.over()).toBe(true);
  expect(gone.acted).toHaveLength(19);
  expect(vi.getTimerCount()).toBe(0);
  expect(all.size).toBe(30);
  expect(over()).toBe(true);
});
