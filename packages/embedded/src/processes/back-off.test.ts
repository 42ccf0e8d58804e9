import { expect, test } from 'vitest';
import { backOff } from './back-off.ts';

test('waits longer each time, up to 15 s', () => {
  const waits: number[] = [];
  for (let i = 0; i < 8; i += 1) waits.push(backOff(waits.at(-1), 100));
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test('begins anew after it ran for 30 s', () => {
  expect(backOff(8000, 29_999)).toBe(15_000);
  expect(backOff(8000, 30_000)).toBe(500);
});
