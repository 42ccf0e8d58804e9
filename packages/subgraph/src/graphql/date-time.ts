import { GraphQLScalarType } from 'graphql';
import * as z from 'zod';

/**
 * The scalar `DateTime`. Its output is ISO 8601 in UTC with milliseconds. Its input is not checked: a
 * resolver parses it with `dateTime`, so that the error names the argument.
 */
export const DateTime = new GraphQLScalarType<unknown, string>({
  name: 'DateTime',
  description: 'A date and time in UTC, in ISO 8601 format with milliseconds.',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError('A DateTime must be a Date');
  },
});

const ISO_8601 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const MIN = Date.parse('0001-01-01T00:00:00Z');
const MAX = Date.parse('9999-12-31T23:59:59.999Z');
const ALLOWED = 'a DateTime with a time zone, such as 2026-01-31T12:00:00Z, of the years 1 to 9999';

/**
 * A `DateTime` argument: ISO 8601 with `Z` or an offset. Digits after the milliseconds round up, so that
 * stored times, which have milliseconds, compare with the result as with the exact time.
 */
export const dateTime: z.ZodType<Date> = z
  .string(ALLOWED)
  .transform((text) => (text.length <= 40 && isoTime(text)) || undefined)
  .refine((time) => time !== undefined, ALLOWED);

function isoTime(text: string): Date | undefined {
  const time = ISO_8601.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !isDay(text.slice(0, 10))) return undefined;
  const isExact = !/\.\d{3}0*[1-9]/.test(text);
  const rounded = isExact ? time : time + 1;
  return rounded >= MIN && rounded <= MAX ? new Date(rounded) : undefined;
}

/** Whether a calendar contains a day. `Date.parse` accepts February 30, for example. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}
