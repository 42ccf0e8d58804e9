import { describe, expect, it } from 'vitest';
import { allHold, renderCase } from './report.ts';

const rate = {
  name: 'rate',
  unit: '/s',
  values: [1500, 1400, 1600],
  bar: { atLeast: 1500 },
} as const;
const cpu = { name: 'CPU gateway', unit: 'µs', values: [900, 1100], bar: { atMost: 900 } } as const;

describe('renderCase', () => {
  it('shows the median, the spread, and whether the figure is within its limit', () => {
    const [title, first, second] = renderCase('list', [rate, cpu]).split('\n');
    expect(title).toBe('list');
    expect(first).toMatch(/rate +1500 \/s +1400 – 1600 +holds: at least 1500$/);
    expect(second).toMatch(/CPU gateway +1000 µs +900 – 1100 +FAILS: at most 900$/);
  });

  it('shows the change since an earlier run', () => {
    const text = renderCase('list', [rate, cpu], [{ ...rate, values: [1000] }]);
    expect(text).toMatch(/was 1000 \(\+50%\)/);
    expect(text).toMatch(/new/);
  });
});

it('allHold is true only if all limits hold', () => {
  expect(allHold({ cases: { a: [rate] } })).toBe(true);
  expect(allHold({ cases: { a: [rate], b: [cpu] } })).toBe(false);
  expect(allHold({ cases: { a: [{ ...cpu, bar: undefined }] } })).toBe(true);
});
