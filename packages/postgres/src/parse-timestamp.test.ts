import pg from 'pg';
import { expect, it } from 'vitest';
import { parseTimestamp } from './parse-timestamp.ts';

const parseByPg = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (text: string) => Date;

it('parses times with milliseconds in UTC as pg does', () => {
  const last = Date.parse('9999-12-31T23:59:59.999Z');
  // A prime number of milliseconds, so that all parts of a time differ from the one before.
  for (let time = Date.parse('0100-01-01T00:00:00.001Z'); time <= last; time += 87_654_321_013) {
    const text = new Date(time).toISOString().replace('T', ' ').replace('Z', '+00');
    expect(parseTimestamp(text)).toEqual(new Date(time));
  }
});

it.each([
  '2026-01-31 12:00:00+00',
  '2026-01-31 12:00:00.1+00',
  '2026-01-31 12:00:00.123456+00',
  '2026-01-31 12:00:00.123+07',
  '2026-01-31 12:00:00.12-0530',
  '2026-01-31 12:00:00.123+00 BC',
  '12026-01-31 12:00:00.12+00',
  '12026-01-31 12:00:00.1+00',
  'infinity',
  '-infinity',
])('leaves other texts to pg: %s', (text) => {
  expect(parseTimestamp(text)).toEqual(parseByPg(text));
});
