import { createMetrics } from '@gudang/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CostlyOperations } from './costly-operations.ts';

const callerOf = (address: string) => ({ identity: {}, address });

let costly: CostlyOperations;
/** Started operations that have not ended, by name. */
let started: Map<string, () => void>;
let order: string[];
beforeEach(() => {
  vi.useFakeTimers();
  costly = new CostlyOperations(createMetrics('test'));
  started = new Map();
  order = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const run = (name: string, address = '203.0.113.1'): Promise<string> =>
  costly.run(callerOf(address), async () => {
    order.push(name);
    await new Promise<void>((resolve) => started.set(name, resolve));
    return name;
  });

async function end(name: string): Promise<void> {
  started.get(name)?.();
  await vi.advanceTimersByTimeAsync(250);
}

const OVERLOADED = { status: 503, extensions: { code: 'OVERLOADED', retryable: true } };

describe('CostlyOperations', () => {
  it('runs two operations at the same time, and the next ones when they have ended', async () => {
    const results = ['a', 'b', 'c', 'd'].map((name) => run(name));
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['a', 'b']);
    await end('b');
    expect(order).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c', 'd']) await end(name);
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('lets callers take turns', async () => {
    for (let n = 0; n < 6; n += 1) void run(`greedy ${n}`);
    void run('other', '203.0.113.2');
    await vi.advanceTimersByTimeAsync(0);
    await end('greedy 0');
    expect(order).toEqual(['greedy 0', 'greedy 1', 'other']);
  });

  it('runs the next operation if one fails', async () => {
    const failing = [1, 2].map(() =>
      costly.run(callerOf('203.0.113.1'), () => Promise.reject(new Error('no'))),
    );
    void run('next');
    for (const one of failing) await expect(one).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(250);
    expect(order).toEqual(['next']);
  });

  it('refuses the eleventh operation of a caller, but not of a loopback address', async () => {
    for (let n = 0; n < 10; n += 1) void run(`${n}`);
    await expect(run('11')).rejects.toMatchObject(OVERLOADED);
    for (let n = 0; n < 20; n += 1) void run(`local ${n}`, '127.0.0.1');
  });

  it('refuses operations when a hundred wait', async () => {
    for (let n = 0; n < 102; n += 1) void run(`${n}`, `203.0.113.${n}`);
    await expect(run('more', '198.51.100.1')).rejects.toMatchObject(OVERLOADED);
  });

  it('refuses an operation that has waited for ten seconds', async () => {
    void run('a');
    void run('b');
    const late = expect(run('late')).rejects.toMatchObject(OVERLOADED);
    await vi.advanceTimersByTimeAsync(10_000);
    await late;
    await end('a');
    expect(order).toEqual(['a', 'b']);
  });
});
