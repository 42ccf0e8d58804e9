import { expect, it } from 'vitest';
import { createFigures } from './figures.ts';

it('counts all orders, and computes rates and percentiles over the last 10 seconds', () => {
  const figures = createFigures(0);
  for (let at = 1; at <= 100; at += 1) {
    figures.acknowledged(at * 10);
    figures.decided({ status: at % 10 === 0 ? 'REJECTED' : 'CONFIRMED', tookMs: at }, at * 10);
  }
  figures.acknowledged(1_000);
  expect(figures.line(1_000)).toBe(
    '101.0 orders/s · 90 confirmed · 10 rejected · p50 50 ms, p99 99 ms to the push · 1 pending',
  );
  figures.decided({ status: 'CONFIRMED', tookMs: 7 }, 12_000);
  expect(figures.line(13_000)).toBe(
    '0.0 orders/s · 91 confirmed · 10 rejected · p50 7 ms, p99 7 ms to the push',
  );
  expect(figures.line(60_000)).toContain('no recent pushes');
  expect(figures.totals()).toEqual({ acknowledged: 101, CONFIRMED: 91, REJECTED: 10 });
});
