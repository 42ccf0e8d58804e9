import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createBackoff, pause, settledOrAborted } from './backoff.ts';

describe('createBackoff', () => {
  it('doubles the wait up to its limit, varies it by at most a quarter, and resets it', () => {
    const backoff = createBackoff(100, 1_000);
    for (const wait of [100, 200, 400, 800, 1_000, 1_000]) {
      const next = backoff.next();
      expect(next).toBeGreaterThanOrEqual(wait * 0.75);
      expect(next).toBeLessThanOrEqual(wait * 1.25);
    }
    backoff.reset();
    expect(backoff.next()).toBeLessThanOrEqual(125);
  });

  it('varies the wait, so that many processes do not retry at the same time', () => {
    const waits = Array.from({ length: 20 }, () => createBackoff(10_000, 10_000).next());
    expect(new Set(waits).size).toBeGreaterThan(1);
  });
});

describe('pause and settledOrAborted', () => {
  it('end immediately if they are aborted before or during the wait, and remove their listeners', async () => {
    const aborting = new AbortController();
    const { signal } = aborting;
    await pause(1, signal);
    await settledOrAborted(Promise.resolve(), signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const waiting = [pause(60_000, signal), settledOrAborted(new Promise(() => {}), signal)];
    aborting.abort();
    await Promise.all(waiting);
    await pause(60_000, signal);
    await settledOrAborted(new Promise(() => {}), signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('rejects like the promise', async () => {
    const { signal } = new AbortController();
    await expect(settledOrAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });
});
