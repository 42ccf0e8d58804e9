import { expect, test } from 'vitest';
import { StartError } from '../start-error.ts';
import type { Exit } from './child.ts';
import { type Part, supervise } from './supervise.ts';

function createPart(): Part & { die(exit: Exit): void; stopped: boolean } {
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

test('a part that dies is named and started again', async () => {
  const parts = [createPart(), createPart()];
  const again = deferred();
  const lines: string[] = [];
  let starts = 0;
  const kafka = supervise({
    name: 'kafka',
    start: async () => parts[starts++] as Part,
    log: (line) => {
      lines.push(line);
      if (line.startsWith('ready again')) again.resolve();
    },
  });
  await kafka.ready;
  parts[0]?.die({ code: null, signal: 'SIGKILL' });
  await again.promise;
  expect(lines[0]).toBe('kafka died (SIGKILL); starting it again in 0.5 s');
  await kafka.stop();
  expect(parts.map(({ stopped }) => stopped)).toEqual([false, true]);
  expect(starts).toBe(2);
});

test('a part that cannot start at first is not tried again', async () => {
  const kafka = supervise({
    name: 'kafka',
    start: async () => {
      throw new StartError('no Java');
    },
    log: () => {},
  });
  await expect(kafka.ready).rejects.toThrow('no Java');
  await kafka.stop();
});

test('a start that was killed is tried again', async () => {
  const part = createPart();
  let starts = 0;
  const kafka = supervise({
    name: 'kafka',
    start: async () => {
      starts += 1;
      if (starts === 1) throw new Error('ended while starting: SIGKILL');
      return part;
    },
    log: () => {},
  });
  await kafka.ready;
  expect(starts).toBe(2);
  await kafka.stop();
});

test('a part that becomes ready while it is told to stop is stopped', async () => {
  const part = createPart();
  const begun = deferred<Part>();
  const kafka = supervise({ name: 'kafka', start: () => begun.promise, log: () => {} });
  const stopped = kafka.stop();
  begun.resolve(part);
  await stopped;
  expect(part.stopped).toBe(true);
  await expect(kafka.ready).rejects.toThrow('stopping');
});

test('stopping does not wait for the back-off', async () => {
  const part = createPart();
  const died = deferred();
  const kafka = supervise({ name: 'kafka', start: async () => part, log: () => died.resolve() });
  await kafka.ready;
  part.die({ code: 1, signal: null });
  await died.promise;
  await kafka.stop();
});
