import { StartError } from '@gudang/runtime/errors';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Exit } from './child.ts';
import { type Part, supervise } from './supervise.ts';

interface FakePart extends Part {
  readonly die: (exit: Exit) => void;
  stopped: boolean;
}

const KILLED: Exit = { code: null, signal: 'SIGKILL' };

function createPart(): FakePart {
  const { promise, resolve } = deferred<Exit>();
  return {
    exited: promise,
    stopped: false,
    die: resolve,
    async stop() {
      this.stopped = true;
      resolve({ code: 0, signal: null });
    },
  };
}

function deferred<T = void>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

describe('supervise', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('reports that a part stopped, restarts it, and reports how long it was unavailable', async () => {
    const parts = [createPart(), createPart()];
    const again = deferred();
    const lines: string[] = [];
    let starts = 0;
    const kafka = supervise({
      title: 'Kafka',
      meanwhile: 'Orders are stored.',
      start: async () => parts[starts++] as Part,
      log: (line) => {
        lines.push(line);
        if (line.includes('is ready again')) again.resolve();
      },
    });
    await kafka.ready;
    expect(kafka.isRecovering()).toBe(false);
    // The part runs for 20 s, which do not count as unavailable.
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 20_000);
    parts[0]?.die(KILLED);
    await again.promise;
    expect(lines).toEqual([
      expect.stringMatching(
        /^Kafka stopped \(SIGKILL\); restarting it in 0\.[456] s\. Orders are stored\.$/,
      ),
      expect.stringMatching(/^Kafka is ready again after 0\.\d s\.$/),
    ]);
    expect(kafka.isRecovering()).toBe(true);
    await kafka.stop();
    expect(parts.map(({ stopped }) => stopped)).toEqual([false, true]);
    expect(starts).toBe(2);
  });

  it('reports that a part is recovering until 10 s after its restart', async () => {
    const parts = [createPart(), createPart()];
    const again = deferred();
    let starts = 0;
    const kafka = supervise({
      title: 'Kafka',
      start: async () => parts[starts++] as Part,
      log: (line) => line.includes('is ready again') && again.resolve(),
    });
    await kafka.ready;
    parts[0]?.die(KILLED);
    await again.promise;
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 10_001);
    expect(kafka.isRecovering()).toBe(false);
    await kafka.stop();
  });

  it('waits longer before each restart, but only 0.5 s after a run of 30 s', async () => {
    const runs = [100, 100, 100, 30_000];
    const parts = [...runs, 0].map(createPart);
    const waits: number[] = [];
    const done = deferred();
    let starts = 0;
    let now = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => now);
    const kafka = supervise({
      title: 'Kafka',
      start: async () => {
        const part = parts[starts] as FakePart;
        const ran = runs[starts];
        starts += 1;
        if (ran === undefined) done.resolve();
        else {
          queueMicrotask(() => {
            now += ran;
            part.die(KILLED);
          });
        }
        return part;
      },
      log: (line) => {
        const wait = /restarting it in ([\d.]+) s/.exec(line)?.[1];
        if (wait) waits.push(Number(wait));
      },
    });
    await done.promise;
    await kafka.stop();
    // Each wait varies at random by up to a quarter.
    for (const [index, expected] of [0.5, 1, 2, 0.5].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(expected * 0.75 - 0.05);
      expect(waits[index]).toBeLessThanOrEqual(expected * 1.25 + 0.05);
    }
  });

  it('does not retry a first start that fails with a StartError', async () => {
    const kafka = supervise({
      title: 'Kafka',
      start: async () => {
        throw new StartError('no Java');
      },
      log: () => {},
    });
    await expect(kafka.ready).rejects.toThrow('no Java');
    await kafka.stop();
  });

  it('retries if the process is killed during its first start', async () => {
    const part = createPart();
    let starts = 0;
    const kafka = supervise({
      title: 'Kafka',
      start: async () => {
        starts += 1;
        if (starts === 1) throw new Error('exited during its start: SIGKILL');
        return part;
      },
      log: () => {},
    });
    await kafka.ready;
    expect(starts).toBe(2);
    await kafka.stop();
  });

  it('stops a part that becomes ready during the stop', async () => {
    const part = createPart();
    const begun = deferred<Part>();
    const kafka = supervise({ title: 'Kafka', start: () => begun.promise, log: () => {} });
    const stopped = kafka.stop();
    begun.resolve(part);
    await stopped;
    expect(part.stopped).toBe(true);
    await expect(kafka.ready).rejects.toThrow('stopping');
  });

  it('does not wait for the back-off when it stops', async () => {
    const part = createPart();
    const died = deferred();
    const kafka = supervise({ title: 'Kafka', start: async () => part, log: () => died.resolve() });
    await kafka.ready;
    part.die({ code: 1, signal: null });
    await died.promise;
    await kafka.stop();
  });
});
