import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashInput } from './hash-input.ts';

/** Returns an equal value whose object keys are in reverse order, with additional empty members. */
function rearrange(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rearrange);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries([
    ['an absent argument', undefined],
    ['a null argument', null],
    ...members.map(([key, member]) => [key, rearrange(member)]),
  ]);
}

/** Removes null members, which mean the same as missing ones. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return new Map(members.map(([key, member]) => [key, withoutNulls(member)]));
}

const json = fc.jsonValue({ maxDepth: 4 });

describe('hashInput', () => {
  it('ignores the order of keys and missing members', () => {
    fc.assert(
      fc.property(json, (input) => {
        expect(hashInput(rearrange(input))).toEqual(hashInput(input));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('differs for different inputs', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const isSame = hashInput(a).equals(hashInput(b));
        // -0 and 0 are the same JSON.
        const plain = (value: unknown) => withoutNulls(JSON.parse(JSON.stringify(value)));
        expect(isSame).toBe(equal(plain(a), plain(b)));
      }),
      { seed: 2, numRuns: 1_000 },
    );
    for (const [a, b] of [
      [{ delta: 1 }, { delta: '1' }],
      [{ ids: ['a', 'b'] }, { ids: ['b', 'a'] }],
      [{ ids: ['a,b'] }, { ids: ['a', 'b'] }],
      [{ a: { b: 1 } }, { b: { a: 1 } }],
    ])
      expect(hashInput(a)).not.toEqual(hashInput(b));
  });
});

function equal(a: unknown, b: unknown): boolean {
  if (a instanceof Map && b instanceof Map)
    return (
      a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)))
    );
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  return a === b;
}
