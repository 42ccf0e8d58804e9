import { ANONYMOUS } from '@gudang/auth';
import { createMetrics } from '@gudang/runtime';
import { expect, it, vi } from 'vitest';
import { createRequestRate } from './request-rate.ts';

const SITI = { subject: 'Siti', scopes: [] };
const RATE_LIMITED = { status: 429, extensions: { code: 'RATE_LIMITED', max: 10 } };

it('counts an operation with its weight', async () => {
  const rate = createRequestRate(10, createMetrics('test'));
  await rate.take(SITI, '203.0.113.1', 9);
  await rate.take(SITI, '203.0.113.1');
  await expect(rate.take(SITI, '203.0.113.1')).rejects.toMatchObject(RATE_LIMITED);
});

it('counts at most the limit, so that one operation is always possible', async () => {
  const rate = createRequestRate(10, createMetrics('test'));
  await rate.take(SITI, '203.0.113.1', 1_000);
  await expect(rate.take(SITI, '203.0.113.1')).rejects.toMatchObject(RATE_LIMITED);
});

it('counts an operation above the limit in the next seconds, too', async () => {
  vi.useFakeTimers();
  try {
    const rate = createRequestRate(10, createMetrics('test'));
    await rate.take(SITI, '203.0.113.1', 50);
    vi.advanceTimersByTime(4_900);
    await expect(rate.take(SITI, '203.0.113.1')).rejects.toMatchObject(RATE_LIMITED);
    vi.advanceTimersByTime(200);
    await rate.take(SITI, '203.0.113.1');
  } finally {
    vi.useRealTimers();
  }
});

it('has no limit for anonymous callers from a loopback address', () => {
  const rate = createRequestRate(10, createMetrics('test'));
  expect(rate.take(ANONYMOUS, '127.0.0.1', 1_000)).toBeUndefined();
});
