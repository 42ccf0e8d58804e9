import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSharedScrape } from './shared-scrape.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('runs one query for concurrent calls, and a new query for a later call', async () => {
  let asked = 0;
  const scrape = createSharedScrape(async () => {
    asked += 1;
    return asked;
  });
  expect(await Promise.all([scrape(), scrape()])).toEqual([1, 1]);
  expect(await scrape()).toBe(2);
  expect(vi.getTimerCount()).toBe(0);
});

it('resolves with undefined after the time-out, and starts no second query while the first is in flight', async () => {
  const answers: ((value: string) => void)[] = [];
  const scrape = createSharedScrape(
    () => new Promise<string>((resolve) => void answers.push(resolve)),
  );
  const first = scrape();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await first).toBeUndefined();
  const second = scrape();
  expect(answers).toHaveLength(1);
  answers[0]?.('late');
  expect(await second).toBe('late');
});

it('resolves with undefined if the query fails', async () => {
  const scrape = createSharedScrape(() => Promise.reject(new Error('unavailable')));
  expect(await scrape()).toBeUndefined();
});
