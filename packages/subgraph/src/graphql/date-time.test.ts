import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateTime } from './date-time.ts';

const parsed = (text: unknown): string | undefined => {
  const { data } = dateTime.safeParse(text);
  return data?.toISOString();
};

describe('dateTime', () => {
  it.each([
    ['2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T19:00:00+07:00', '2026-01-31T12:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2026-01-31T12:00:00.1230000Z', '2026-01-31T12:00:00.123Z'],
  ])('accepts %s', (text, expected) => {
    expect(parsed(text)).toBe(expected);
  });

  it.each([
    ['no time', '2026-01-31'],
    ['no time zone', '2026-01-31T12:00:00'],
    ['a day that does not exist', '2026-02-30T00:00:00Z'],
    ['an hour that does not exist', '2026-01-31T25:00:00Z'],
    ['the year 0, which PostgreSQL does not have', '0000-12-31T23:59:59Z'],
    ['the year 0 because of the offset', '0001-01-01T00:00:00+01:00'],
    ['the year 10,000 because of the offset', '9999-12-31T23:59:59-01:00'],
    ['the year 10,000 because of the fraction', '9999-12-31T23:59:59.9999Z'],
    ['another format', 'Sat, 31 Jan 2026 12:00:00 GMT'],
    ['a number', 1_769_860_800_000],
    ['an object', {}],
    ['a very long text', `2026-01-31T12:00:00.${'0'.repeat(1_000_000)}Z`],
  ])('rejects %s', (_what, value) => {
    expect(dateTime.safeParse(value).error?.issues.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^a DateTime with a time zone, such as /),
    ]);
  });

  it('compares with times in milliseconds as the exact time does', () => {
    const time = fc.integer({ min: 0, max: 4e12 });
    const nanoseconds = fc.integer({ min: 0, max: 999_999 });
    fc.assert(
      fc.property(time, nanoseconds, (ms, ns) => {
        const text = new Date(ms).toISOString().replace('Z', `${String(ns).padStart(6, '0')}Z`);
        const bound = dateTime.parse(text).getTime();
        for (const stored of [ms - 1, ms, ms + 1]) {
          const isBefore = stored < ms || (stored === ms && ns > 0);
          expect(stored < bound).toBe(isBefore);
        }
      }),
    );
  });
});
