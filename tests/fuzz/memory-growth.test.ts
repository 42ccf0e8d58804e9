import { expect, it } from 'vitest';
import { growthPerCase } from './plateau.ts';

const KIB = 1024;
const samplesOf = (bytesAt: (cases: number) => number) =>
  Array.from({ length: 20 }, (_, index) => ({
    cases: index * 500,
    bytes: bytesAt(index * 500),
  }));
/** A collection leaves now more, now less. */
const noise = (cases: number) => ((cases / 500) % 3) * 100 * KIB;

it('sees caches that fill and then stay as they are', () => {
  const full = (cases: number) => Math.min(cases, 4_000) * 3 * KIB + noise(cases);
  expect(Math.abs(growthPerCase(samplesOf(full)))).toBeLessThan(100);
});

it('sees what never stops to grow, beside caches that do', () => {
  const leak = (cases: number) => Math.min(cases, 4_000) * 3 * KIB + cases * KIB + noise(cases);
  expect(growthPerCase(samplesOf(leak))).toBeGreaterThan(900);
});

it('is not bent by one sample that is out of all reason', () => {
  const once = (cases: number) => (cases === 7_500 ? 500_000 * KIB : noise(cases));
  expect(Math.abs(growthPerCase(samplesOf(once)))).toBeLessThan(100);
});
