import { GraphQLScalarType } from 'graphql';

/** The scalar `DateTime`, for output only: ISO 8601 in UTC with milliseconds. */
export const DateTime = new GraphQLScalarType<never, string>({
  name: 'DateTime',
  description: 'A date and time in UTC, in ISO 8601 format with milliseconds.',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError('A DateTime must be a Date');
  },
});
