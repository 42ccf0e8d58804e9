import { expect, test } from 'vitest';
import { formatTime, type Journey, nextStep, scaleOf } from './journeys.ts';

const ALL = ['accepted', 'stored', 'sent', 'decided', 'settled', 'pushed'];
const journey = (total: number, settled = true, names = ALL): Journey => ({
  id: 'a',
  at: '2026-11-28T03:40:12.345Z',
  settled,
  steps: names.map((name, index) => ({
    name,
    from: (total * index) / names.length,
    to: (total * (index + 1)) / names.length,
  })),
});

test('one order that waited for long leaves the bars of the others visible', () => {
  expect(scaleOf([journey(20), journey(30), journey(25)])).toBe(30);
  expect(scaleOf([journey(20), journey(30_000), journey(25)])).toBe(100);
  expect(scaleOf([])).toBe(1);
});

test('formats times from tenths of a millisecond to seconds', () => {
  expect([0.94, 24.4, 12_345].map(formatTime)).toEqual(['0.9 ms', '24 ms', '12.3 s']);
});

test('names the step that an order waits for', () => {
  expect(nextStep(journey(9), ALL)).toBeUndefined();
  expect(nextStep(journey(9, false, ['accepted', 'stored']), ALL)).toBe('sent');
  expect(nextStep(journey(0, false, []), ALL)).toBe('accepted');
});
