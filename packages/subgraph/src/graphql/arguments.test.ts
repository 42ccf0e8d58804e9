import type { ServiceError } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseArguments, textOf, wholeNumber } from './arguments.ts';

const schema = z.object({
  input: z.object({ name: textOf({ min: 1, max: 3 }), count: wholeNumber({ min: 1, max: 1_000 }) }),
});
const refusal = (given: unknown): unknown => {
  try {
    return parseArguments(schema, given);
  } catch (error) {
    return (error as ServiceError).extensions;
  }
};

describe('parseArguments', () => {
  it('accepts values at the limits and measures lengths in code points', () => {
    for (const input of [
      { name: 'a', count: 1 },
      { name: '\u{1f600}\u{1f600}\u{1f600}', count: 1_000 },
    ]) {
      expect(parseArguments(schema, { input })).toEqual({ input });
    }
  });

  const text = 'a text of 1 to 3 characters, without NUL or half a surrogate pair';
  const number = 'a whole number from 1 to 1,000';
  it.each([
    [{ name: '', count: 1 }, 'input.name', text],
    [{ name: 'abcd', count: 1 }, 'input.name', text],
    [{ name: 'x'.repeat(1_000_000), count: 1 }, 'input.name', text],
    [{ name: 'a\u0000', count: 1 }, 'input.name', text],
    [{ name: '\ud800', count: 1 }, 'input.name', text],
    [{ name: 7, count: 1 }, 'input.name', text],
    [{ count: 1 }, 'input.name', text],
    [{ name: 'a', count: 0 }, 'input.count', number],
    [{ name: 'a', count: 1_001 }, 'input.count', number],
    [{ name: 'a', count: 1.5 }, 'input.count', number],
    [{ name: 'a', count: '1' }, 'input.count', number],
    [{ name: 'a', count: null }, 'input.count', number],
  ])('refuses %#', (input, argument, allowed) => {
    expect(refusal({ input })).toEqual({ code: 'BAD_USER_INPUT', argument, allowed });
  });
});
