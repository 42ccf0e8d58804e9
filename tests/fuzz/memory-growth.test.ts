import { expect, it } from 'vitest';
import { growthPerCase } from './memory-growth.ts';

const KIB = 1024;
const samplesOf = (bytesAt: (cases: number) => number) =>
  Array.from({ length: 20 }, (_, index) => ({
    cases: index * 500,
    bytes: bytesAt(index * 500),
  }));
/** Simulates how the memory after garbage collection varies, in bytes. */
const noise = (cases: number) => ((cases / 500) % 3) * 100 * KIB;

it('reports no growth if caches fill up and then stay full', () => {
  const full = (cases: number) => Math.min(cases, 4_000) * 3 * KIB + noise(cases);
  expect(Math.abs(growthPerCase(samplesOf(full)))).toBeLessThan(100);
});

it('reports steady growth even if caches also fill up', () => {
  const leak = (cases: number) => Math.min(cases, 4_000) * 3 * KIB + cases * KIB + noise(cases);
  expect(growthPerCase(samplesOf(leak))).toBeGreaterThan(900);
});

it('is not affected by one outlier', () => {
  const once = (cases: number) => (cases === 7_500 ? 500_000 * KIB : noise(cases));
  expect(Math.abs(growthPerCase(samplesOf(once)))).toBeLessThan(100);
});
