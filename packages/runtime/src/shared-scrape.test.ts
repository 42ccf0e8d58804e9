import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSharedScrape } from './shared-scrape.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('runs one query for concurrent calls and a new one later', async () => {
  let asked = 0;
  const question = createSharedScrape(async () => {
    asked += 1;
    return asked;
  });
  expect(await Promise.all([question(), question()])).toEqual([1, 1]);
  expect(await question()).toBe(2);
  expect(vi.getTimerCount()).toBe(0);
});

it('resolves with undefined in time and starts no second query meanwhile', async () => {
  const answers: ((value: string) => void)[] = [];
  const question = createSharedScrape(
    () => new Promise<string>((resolve) => void answers.push(resolve)),
  );
  const first = question();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await first).toBeUndefined();
  const second = question();
  expect(answers).toHaveLength(1);
  answers[0]?.('late');
  expect(await second).toBe('late');
});

it('resolves with undefined if the query fails', async () => {
  const question = createSharedScrape(() => Promise.reject(new Error('away')));
  expect(await question()).toBeUndefined();
});
