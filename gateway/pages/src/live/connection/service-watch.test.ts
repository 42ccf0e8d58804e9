import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Services } from './connection.ts';
import { startServiceWatch } from './service-watch.ts';

const WELL: Services = { unavailable: [], isKafkaUnavailable: false };
const NO_KAFKA: Services = { unavailable: [], isKafkaUnavailable: true };

let page: { hidden: boolean; show: () => void };
let answer: Services | undefined;
let checks: number;
let seen: (Services | undefined)[];

beforeEach(() => {
  vi.useFakeTimers();
  page = { hidden: false, show: () => {} };
  vi.stubGlobal('document', {
    get hidden() {
      return page.hidden;
    },
    addEventListener: (_name: string, listener: () => void) => {
      page.show = () => {
        page.hidden = false;
        listener();
      };
    },
  });
  answer = WELL;
  checks = 0;
  seen = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function start() {
  return startServiceWatch({
    check: async () => {
      checks += 1;
      if (!answer) throw new Error('no answer');
      return answer;
    },
    onChecked: (services) => void seen.push(services),
  });
}

test('checks at once, then every 10 s, and every 5 s while a part is unavailable', async () => {
  start();
  await vi.advanceTimersByTimeAsync(0);
  expect(checks).toBe(1);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(checks).toBe(1);
  answer = NO_KAFKA;
  await vi.advanceTimersByTimeAsync(1);
  expect(seen).toEqual([WELL, NO_KAFKA]);
  await vi.advanceTimersByTimeAsync(4_999);
  expect(checks).toBe(2);
  answer = undefined;
  await vi.advanceTimersByTimeAsync(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(checks).toBe(4);
  expect(seen.at(-1)).toBeUndefined();
});

test('checks nothing while changes prove that everything works', async () => {
  const watch = start();
  for (let second = 0; second < 60; second += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    watch.proveWell();
  }
  expect(checks).toBe(1);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(checks).toBe(2);
});

test('a change that proves the recovery ends a problem at once', async () => {
  answer = NO_KAFKA;
  const watch = start();
  await vi.advanceTimersByTimeAsync(1_500);
  answer = WELL;
  watch.proveWell();
  await vi.advanceTimersByTimeAsync(0);
  expect(seen).toEqual([NO_KAFKA, WELL]);
});

test('signs of a problem cause at most one check per second', async () => {
  const watch = start();
  for (let sign = 0; sign < 30; sign += 1) {
    watch.checkSoon();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(checks).toBeLessThanOrEqual(4);
  expect(checks).toBeGreaterThanOrEqual(3);
});

test('a hidden page checks nothing until it is shown', async () => {
  start();
  await vi.advanceTimersByTimeAsync(0);
  page.hidden = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(checks).toBe(1);
  page.show();
  await vi.advanceTimersByTimeAsync(0);
  expect(checks).toBe(2);
});
