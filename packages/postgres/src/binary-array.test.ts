import { describe, expect, it } from 'vitest';
import { encodeArray, isElementType } from './binary-array.ts';

describe('encodeArray', () => {
  it('writes dimensions, nulls, type, lengths and elements', () => {
    expect(encodeArray('int', [1, null, -2]).toString('hex')).toBe(
      ['00000001', '00000001', '00000017', '00000003', '00000001'].join('') +
        ['00000004', '00000001', 'ffffffff', '00000004', 'fffffffe'].join(''),
    );
  });

  it('refuses what is no UUID rather than write something else', () => {
    expect(() => encodeArray('uuid', ['kopi'])).toThrow(/"kopi" is no UUID/);
  });

  it('knows its types by the names that casts have', () => {
    expect(isElementType('timestamptz')).toBe(true);
    expect(isElementType('toString')).toBe(false);
    expect(() => encodeArray('money', [])).toThrow(/No array of money/);
  });
});
