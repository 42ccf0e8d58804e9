import { expect, it } from 'vitest';
import { mustWaitForTurn, nextTurn } from './event-turns.ts';

/** Occupies the event loop like an event. */
function work(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

it('lets other work of the process run between the events of subscriptions that never wait', async () => {
  const subscribe = async (events: number): Promise<void> => {
    for (let event = 0; event < events; event += 1) {
      if (mustWaitForTurn()) await nextTurn();
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
  // The events take 200 ms. An iteration has events of 5 ms, and one of each subscription at most.
  expect(iterations).toBeGreaterThan(12);
});
