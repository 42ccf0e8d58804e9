import { describe, expect, it } from 'vitest';
import { estimateValues } from './large-results.ts';

describe('the estimated number of values', () => {
  it.each([[[3]], [[2, 5]], [[4, 1, 7]]])(
    'is exact for nested lists of equal elements: %j',
    (lengths) => {
      const nested = lengths.reduceRight<unknown>(
        (inner, length) => Array.from({ length }, () => inner),
        'x',
      );
      expect(estimateValues(nested)).toBe(lengths.reduce((all, length) => all * length, 1));
    },
  );

  it.each([
    [null, 1],
    [undefined, 1],
    [[], 0],
    [{ a: 'x', b: null }, 3],
    [{ nodes: [{ id: '1' }, { id: '2' }] }, 5],
  ])('is, for %j, %d', (value, expected) => expect(estimateValues(value)).toBe(expected));

  it('reads only the first element of a list', () => {
    const unread = {
      get a(): string {
        throw new Error('was read');
      },
    };
    expect(estimateValues([{ a: 1 }, unread])).toBe(4);
  });
});
