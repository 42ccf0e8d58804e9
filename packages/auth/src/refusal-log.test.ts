import { ServiceError, unavailable } from '@gudang/runtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRefusalLog, REFUSALS_EVERY_MS } from './refusal-log.ts';
import { EXPIRED, invalidToken } from './token-error.ts';

const WRONG = invalidToken('its signature is wrong');
const lines: string[] = [];
const log = {
  info: (line: unknown) => void lines.push(`info ${line}`),
  warn: (line: unknown) => void lines.push(`warn ${line}`),
};

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

it('logs the first refusal for a reason at once, and the number of the others every 30 s', () => {
  const refused = createRefusalLog(log);
  for (let n = 0; n < 10_000; n += 1) refused(WRONG);
  const first = 'warn Refused a request: The token is invalid: its signature is wrong';
  expect(lines).toEqual([first]);
  vi.advanceTimersByTime(REFUSALS_EVERY_MS);
  const others = 'warn Refused 9999 more in 30 s: The token is invalid: its signature is wrong';
  expect(lines).toEqual([first, others]);
  refused(WRONG);
  expect(lines).toHaveLength(2);
  vi.advanceTimersByTime(REFUSALS_EVERY_MS);
  expect(lines[2]).toContain('Refused 1 more in 30 s');
  vi.advanceTimersByTime(REFUSALS_EVERY_MS);
  expect(vi.getTimerCount()).toBe(0);
  refused(WRONG);
  expect(lines.slice(3)).toEqual([first]);
});

it('logs each reason separately, expired tokens at level info', () => {
  const refused = createRefusalLog(log);
  refused(WRONG);
  refused(invalidToken(EXPIRED));
  refused(invalidToken(EXPIRED));
  expect(lines).toEqual([
    'warn Refused a request: The token is invalid: its signature is wrong',
    'info Refused a request: The token is invalid: it has expired; get a fresh one',
  ]);
});

it('ignores errors that do not concern the token', () => {
  const refused = createRefusalLog(log);
  for (const error of [
    unavailable('Tokens cannot be verified at the moment; try again', undefined),
    new ServiceError('RATE_LIMITED', 'too many'),
    new Error('a bug'),
    undefined,
  ]) {
    refused(error);
  }
  expect(lines).toEqual([]);
});
