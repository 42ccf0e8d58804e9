import { GraphQLScalarType } from 'graphql';

/** Only ever an output: ISO 8601 in UTC with milliseconds. */
export const DateTime = new GraphQLScalarType<never, string>({
  name: 'DateTime',
  description: 'A moment in UTC, ISO 8601 with milliseconds.',
  serialize: (value) => {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError('A DateTime must be a Date');
  },
});
