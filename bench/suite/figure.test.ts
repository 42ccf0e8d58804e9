import { describe, expect, it } from 'vitest';
import { holds, median } from './figure.ts';

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1], 2],
    [[10, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

  it('is NaN without values', () => expect(median([])).toBeNaN());
});

describe('holds', () => {
  const figure = { name: 'x', unit: 'ms', values: [1, 9, 2] } as const;
  it.each([
    [{ atMost: 2 }, true],
    [{ atMost: 1.9 }, false],
    [{ atLeast: 2 }, true],
    [{ atLeast: 2.1 }, false],
  ])('compares the median with %j: %s', (bar, expected) => {
    expect(holds({ ...figure, bar })).toBe(expected);
  });
  it('is undefined without a limit', () => expect(holds(figure)).toBeUndefined());
});
