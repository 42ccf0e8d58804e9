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

  it('runs the next operation if one has run for a second, because it waits for a subgraph', async () => {
    const results = ['slow', 'hanging', 'next', 'last'].map((name) => run(name));
    await vi.advanceTimersByTimeAsync(999);
    expect(order).toEqual(['slow', 'hanging']);
    await vi.advanceTimersByTimeAsync(1);
    expect(order).toEqual(['slow', 'hanging', 'next', 'last']);
    // An operation that has given up its turn frees no turn of another one when it ends.
    void run('waiting');
    await end('slow');
    await end('hanging');
    expect(order).not.toContain('waiting');
    await end('next');
    await end('last');
    expect(order).toContain('waiting');
    await Promise.all(results);
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

  it('gives callers turns regardless of the number of their operations', async () => {
    for (let n = 0; n < 8; n += 1) {
      for (const caller of [1, 2]) void run(`${caller}.${n}`, `203.0.113.${caller}`);
    }
    void run('other', '203.0.113.3');
    await vi.advanceTimersByTimeAsync(0);
    for (const name of ['1.0', '2.0', '1.1', '2.1']) await end(name);
    expect(order.slice(0, 5)).toEqual(['1.0', '2.0', '1.1', '2.1', 'other']);
  });

  it('runs one operation at a time while more than three callers wait', async () => {
    for (let n = 0; n < 8; n += 1) void run(`${n}`, `203.0.113.${n}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['0', '1']);
    await end('0');
    expect(order).toEqual(['0', '1']);
    for (const name of ['1', '2', '3']) await end(name);
    expect(order).toEqual(['0', '1', '2', '3', '4', '5']);
    for (const name of ['4', '5', '6', '7']) await end(name);
    expect(order).toHaveLength(8);
  });

  it('refuses an operation when a hundred wait, if each is of another caller', async () => {
    for (let n = 0; n < 102; n += 1) void run(`${n}`, `203.0.113.${n}`);
    await expect(run('more', '198.51.100.1')).rejects.toMatchObject(OVERLOADED);
  });

  it('refuses the newest operation of the caller with the most, when a hundred wait', async () => {
    const refused: string[] = [];
    const note = (name: string) => (error: unknown) => {
      expect(error).toMatchObject(OVERLOADED);
      refused.push(name);
    };
    for (let n = 0; n < 8; n += 1) {
      for (let caller = 0; caller < 13; caller += 1) {
        run(`${caller}.${n}`, `203.0.113.${caller}`).catch(note(`${caller}.${n}`));
      }
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(refused).toEqual(['11.7', '12.7']);
    const before = refused.length;
    run('honest', '198.51.100.1').catch(note('honest'));
    await vi.advanceTimersByTimeAsync(0);
    expect(refused.slice(before)).toHaveLength(1);
    expect(refused.at(-1)).toMatch(/\.7$/);
  });

  it('refuses an operation that has waited for ten seconds', async () => {
    const others = Array.from({ length: 30 }, (_, n) => run(`${n}`, `203.0.113.${n}`));
    for (const other of others) other.catch(() => {});
    const late = expect(run('late', '198.51.100.1')).rejects.toMatchObject(OVERLOADED);
    await vi.advanceTimersByTimeAsync(10_000);
    await late;
    expect(order).not.toContain('late');
  });
});
