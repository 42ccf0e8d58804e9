import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createOutageLog } from './outage-log.ts';

const UNAVAILABLE = { reason: 'Kafka at a:1 does not answer', advice: 'start it' };
const REFUSED = { reason: 'Kafka at a:1 refuses the password', advice: 'set the right one' };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function createTestLog() {
  const lines: string[] = [];
  const note = (...given: unknown[]) => void lines.push(String(given.at(-1)));
  const log = { info: note, warn: note } as Parameters<typeof createOutageLog>[0];
  return { outage: createOutageLog(log, { what: 'Kafka at a:1' }), lines };
}

it('logs a new reason immediately and the current reason every 30 s', () => {
  const { outage, lines } = createTestLog();
  // A problem is reported every 2 s for 32 s: first `unavailable`, then alternately `refused` and
  // `unavailable`.
  for (let second = 0; second <= 32; second += 2) {
    outage.report(second >= 4 && second % 4 === 0 ? REFUSED : UNAVAILABLE);
    vi.advanceTimersByTime(2_000);
  }
  const [unavailable, refused] = [
    'Kafka at a:1 does not answer: start it; retrying',
    'Kafka at a:1 refuses the password: set the right one; retrying',
  ];
  // The next report is more than 30 s after the second line.
  expect(lines).toEqual([unavailable, refused]);
  vi.advanceTimersByTime(2_000);
  outage.report(UNAVAILABLE);
  expect(lines).toEqual([unavailable, refused, unavailable]);
});

it('logs the end of an outage once and logs the next outage', () => {
  const { outage, lines } = createTestLog();
  outage.end();
  outage.report(REFUSED);
  outage.end();
  outage.end();
  outage.report(REFUSED);
  const refused = 'Kafka at a:1 refuses the password: set the right one; retrying';
  expect(lines).toEqual([refused, 'Kafka at a:1 answers again', refused]);
});
