import { badUserInput, type ServiceError } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseArguments, parseTogether, textOf, wholeNumber } from './arguments.ts';

const schema = z.object({
  input: z.object({ name: textOf({ min: 1, max: 3 }), count: wholeNumber({ min: 1, max: 1_000 }) }),
});
const errorOf = (parse: () => unknown): ServiceError => {
  try {
    parse();
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('No error was thrown');
};
const refusal = (given: unknown): unknown =>
  errorOf(() => parseArguments(schema, given)).extensions;
const HALF = 'contains a NUL character or half a surrogate pair';

describe('parseArguments', () => {
  it('accepts values at the limits and measures lengths in code points', () => {
    for (const input of [
      { name: 'a', count: 1 },
      { name: '\u{1f600}\u{1f600}\u{1f600}', count: 1_000 },
    ]) {
      expect(parseArguments(schema, { input })).toEqual({ input });
    }
  });

  const text = 'a text of 1 to 3 characters';
  const number = 'a whole number from 1 to 1,000';
  it.each([
    [{ name: '', count: 1 }, 'input.name', text, 'is empty'],
    [{ name: 'abcd', count: 1 }, 'input.name', text, 'has 4 characters'],
    [{ name: 'x'.repeat(1_000_000), count: 1 }, 'input.name', text, 'has 1,000,000 characters'],
    [{ name: 'a\u0000', count: 1 }, 'input.name', text, HALF],
    [{ name: '\ud800', count: 1 }, 'input.name', text, HALF],
    [{ name: 7, count: 1 }, 'input.name', text, 'is 7'],
    [{ name: {}, count: 1 }, 'input.name', text, undefined],
    [{ count: 1 }, 'input.name', text, 'is missing'],
    [{ name: 'a', count: 0 }, 'input.count', number, 'is 0'],
    [{ name: 'a', count: 1_001 }, 'input.count', number, 'is 1,001'],
    [{ name: 'a', count: 1.5 }, 'input.count', number, 'is 1.5'],
    [{ name: 'a', count: '1' }, 'input.count', number, undefined],
    [{ name: 'a', count: null }, 'input.count', number, 'is missing'],
  ])('refuses %#', (input, argument, allowed, problem) => {
    expect(refusal({ input })).toEqual({
      code: 'BAD_USER_INPUT',
      argument,
      allowed,
      invalid: [{ argument, allowed, problem }],
    });
  });

  it('names all invalid arguments in one message for people', () => {
    expect(() => parseArguments(schema, { input: { name: '', count: -5 } }, 'inputs[3]')).toThrow(
      'inputs[3].input.name is empty; allowed: a text of 1 to 3 characters. ' +
        'inputs[3].input.count is -5; allowed: a whole number from 1 to 1,000',
    );
  });

  it('lists 10 of many invalid arguments and counts the others', () => {
    const list = z.array(textOf({ min: 1, max: 3 }));
    const given = Array.from({ length: 1_000 }, () => '');
    const error = errorOf(() => parseArguments(list, given, 'ids'));
    expect(error.details['invalid']).toHaveLength(10);
    expect(error.details).toMatchObject({ argument: 'ids[0]', omitted: 990 });
    expect(error.message).toMatch(/\. 990 more arguments are invalid$/);
  });
});

describe('parseTogether', () => {
  const bad = (argument: string) => () => {
    throw badUserInput(argument, 'a cursor');
  };

  it('returns what all functions return', () => {
    expect(parseTogether({ one: () => 1, two: () => 'two' })).toEqual({ one: 1, two: 'two' });
  });

  it('names the invalid arguments of all functions', () => {
    const error = errorOf(() =>
      parseTogether({ page: bad('after'), fine: () => 1, filter: bad('search') }),
    );
    expect(error.message).toBe('after must be a cursor. search must be a cursor');
  });

  it('throws other errors as they are', () => {
    const other = new TypeError('a bug');
    const fail = () => {
      throw other;
    };
    expect(() => parseTogether({ bad: bad('after'), fail })).toThrow(other);
  });
});
