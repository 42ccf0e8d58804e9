import { expect, it, onTestFinished, vi } from 'vitest';
import { EventTurns } from './event-turns.ts';

/** Occupies the event loop like an event. */
function work(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

it('lets other work of the process run between the events of subscriptions that never wait', async () => {
  const turns = new EventTurns();
  const subscribe = async (events: number): Promise<void> => {
    for (let event = 0; event < events; event += 1) {
      const turn = turns.next();
      if (turn !== undefined) await turn;
      work(1);
    }
  };
  let iterations = 0;
  let isOver = false;
  const count = (): void => {
    iterations += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all(Array.from({ length: 10 }, () => subscribe(20)));
  isOver = true;
  // The events take 200 ms. An iteration has events of 2 ms, and one of each subscription at most.
  expect(iterations).toBeGreaterThan(12);
});

it('executes costly events one at a time, in order, with pauses of at most 100 ms', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const turns = new EventTurns();
  const log: string[] = [];
  const event = (name: string, ms: number): Promise<void> =>
    turns.runCostly(async () => {
      log.push(`${name} begins at ${performance.now() - start}`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (name === 'b') throw new Error('a failure');
    });
  const start = performance.now();
  const all = Promise.allSettled([event('a', 10), event('b', 1_000), event('c', 1)]);
  await vi.runAllTimersAsync();
  await all;
  expect(log).toEqual(['a begins at 0', 'b begins at 40', 'c begins at 1140']);
  await Promise.all([event('d', 1), vi.runAllTimersAsync()]);
  expect(log).toHaveLength(4);
});

it('sends slow events with pauses of three times their time, and others in between', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const turns = new EventTurns();
  let sent = 0;
  const subscribe = async (): Promise<void> => {
    for (let event = 0; event < 2; event += 1) {
      await turns.nextSlow();
      sent += 1;
      vi.advanceTimersByTime(1);
    }
  };
  const all = Promise.all(Array.from({ length: 24 }, subscribe));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  // The first subscription continues at once, and the others wait until its pause ends.
  expect(sent).toBe(1);
  const counts: number[] = [];
  while (sent < 48) {
    const before = sent;
    for (let ms = 0; ms < 300 && sent === before; ms += 1) {
      vi.advanceTimersByTime(1);
      await settle();
    }
    counts.push(sent - before);
  }
  await all;
  expect(Math.max(...counts)).toBe(16);
  expect(turns.next()).toBeUndefined();
});

it('starts one subscription in each iteration of the event loop, in order', async () => {
  const turns = new EventTurns();
  const log: string[] = [];
  const start = async (name: string): Promise<void> => {
    const turn = turns.nextStart();
    if (turn !== undefined) await turn;
    log.push(name);
  };
  const started = ['a', 'b', 'c'].map(start);
  expect(log).toEqual(['a']);
  for (const iteration of [1, 2]) setImmediate(() => log.push(`iteration ${iteration}`));
  await Promise.all(started);
  expect(log).toEqual(['a', 'b', 'iteration 1', 'iteration 2', 'c']);
  await start('d');
  expect(log.at(-1)).toBe('d');
});
