import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { limitError, limitErrors, MAX_ERRORS, shorten } from './error-limits.ts';

describe('shorten', () => {
  it('keeps texts up to the limit', () => {
    expect(shorten('abc', 3)).toBe('abc');
    expect(shorten('abcd', 3)).toBe('abc…');
  });

  it('does not split a surrogate pair', () => {
    expect(shorten('ab😀d', 3)).toBe('ab…');
    expect(shorten('ab😀d', 4)).toBe('ab😀…');
  });
});

describe('limitError', () => {
  it('limits each part of an error', () => {
    const long = 'x'.repeat(100_000);
    const limited = limitError({
      message: long,
      path: [...Array.from({ length: 1_000 }, () => long)],
      locations: Array.from({ length: 1_000 }, (_, line) => ({ line, column: 1 })),
      extensions: { code: 'X', argument: long, nested: { long }, serviceName: 'stock' },
    });
    expect(limited.message).toHaveLength(1_001);
    expect(limited.path).toHaveLength(100);
    expect(limited.locations).toHaveLength(20);
    expect(limited.extensions).toEqual({
      code: 'X',
      argument: `${'x'.repeat(1_000)}…`,
      serviceName: 'stock',
    });
    expect(JSON.stringify(limited).length).toBeLessThan(25_000);
  });

  it('keeps an ordinary error', () => {
    const error = {
      message: 'The stock is missing',
      path: ['stocks', 0, 'name'],
      locations: [{ line: 1, column: 2 }],
      extensions: { code: 'NOT_FOUND', scopes: [['a', 'b']], retryable: false },
    };
    expect(limitError(error)).toEqual(error);
  });
});

describe('limitErrors', () => {
  const errors = (count: number) =>
    Array.from({ length: count }, (_, n) => new GraphQLError(String(n)));

  it.each([0, 1, MAX_ERRORS, MAX_ERRORS + 1])('keeps %d errors', (count) => {
    expect(limitErrors(errors(count))).toHaveLength(count);
  });

  it('replaces further errors with their number', () => {
    const limited = limitErrors(errors(MAX_ERRORS + 1_234)) as GraphQLError[];
    expect(limited).toHaveLength(MAX_ERRORS + 1);
    expect(limited.at(-1)?.message).toBe('1,234 more errors are left out');
  });
});
