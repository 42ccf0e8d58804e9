import { existsSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFetchLock } from './fetch-lock.ts';

let directory: string;
let lock: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-lock-'));
  lock = join(directory, 'lib.lock');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('withFetchLock', () => {
  it('runs tasks one after the other, also after one that failed', async () => {
    let running = 0;
    let most = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    };
    const failing = withFetchLock(lock, undefined, async () => {
      throw new Error('no network');
    });
    await Promise.all([
      expect(failing).rejects.toThrow('no network'),
      ...[1, 2, 3].map(() => withFetchLock(lock, undefined, task)),
    ]);
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it('takes over the lock of a killed process', async () => {
    await writeFile(lock, '');
    const killed = new Date(Date.now() - 6_000);
    await utimes(lock, killed, killed);
    let ran = false;
    await withFetchLock(lock, undefined, async () => {
      ran = true;
    });
    expect(ran).toBe(true);
  });

  it('stops waiting when it is aborted', async () => {
    await writeFile(lock, '');
    const stopping = new AbortController();
    const waiting = withFetchLock(lock, stopping.signal, async () => {});
    stopping.abort(new Error('stopping'));
    await expect(waiting).rejects.toThrow();
    expect(existsSync(lock)).toBe(true);
  });
});
