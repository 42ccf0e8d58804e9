import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Maximum number of errors in one answer. One more error states how many are left out. */
export const MAX_ERRORS = 20;
/** Maximum lengths, in characters, of the texts of an error, which can quote the request. */
const MAX_MESSAGE = 1_000;
const MAX_EXTENSION = 1_000;
const MAX_PATH_KEY = 200;
/** Maximum number of items in `path` and in `locations`. */
const MAX_PATH_ITEMS = 100;
const MAX_LOCATIONS = 20;
/** Maximum size of all extensions of an error, in characters of JSON. */
const MAX_EXTENSIONS = 4_000;

/** Shortens a text to a number of characters. It does not split a surrogate pair. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  const isSplit = last >= 0xd800 && last < 0xdc00;
  return `${text.slice(0, isSplit ? max - 1 : max)}…`;
}

/**
 * Limits the size of an error. Its texts can contain names and values of the request, and a subgraph's
 * error can contain anything.
 */
export function limitError(error: GraphQLFormattedError): GraphQLFormattedError {
  const { message, path, locations, extensions } = error;
  return {
    ...error,
    message: shorten(message, MAX_MESSAGE),
    ...(path ? { path: path.slice(0, MAX_PATH_ITEMS).map(shortenKey) } : {}),
    ...(locations ? { locations: locations.slice(0, MAX_LOCATIONS) } : {}),
    ...(extensions ? { extensions: limitExtensions(extensions) } : {}),
  };
}

function shortenKey(key: string | number): string | number {
  return typeof key === 'string' ? shorten(key, MAX_PATH_KEY) : key;
}

type Extensions = NonNullable<GraphQLFormattedError['extensions']>;

function limitExtensions(extensions: Extensions): Extensions {
  const entries = Object.entries(extensions).map(([name, value]) => [
    name,
    typeof value === 'string' ? shorten(value, MAX_EXTENSION) : value,
  ]);
  const limited = Object.fromEntries(entries);
  if (JSON.stringify(limited).length <= MAX_EXTENSIONS) return limited;
  // Only the extensions that clients use to decide what to do are kept.
  const { code, argument, serviceName, retryable, errorId } = limited;
  const kept = { code, argument, serviceName, retryable, errorId };
  return Object.fromEntries(
    Object.entries(kept).filter(([, value]) => ['string', 'boolean'].includes(typeof value)),
  );
}

/** Returns at most `MAX_ERRORS` errors, and one more that states how many are left out. */
export function limitErrors<T>(errors: readonly T[]): readonly (T | GraphQLError)[] {
  const omitted = errors.length - MAX_ERRORS;
  // graphql-js itself adds one error after the last one that it reports.
  return omitted <= 1 ? errors : [...errors.slice(0, MAX_ERRORS), omittedErrors(omitted)];
}

function omittedErrors(omitted: number): GraphQLError {
  return new GraphQLError(`${omitted.toLocaleString('en')} more errors are left out`, {
    extensions: { code: 'TOO_MANY_ERRORS', omitted },
  });
}

/**
 * Apollo Server plugin that limits the number of errors in an answer. It must precede other plugins
 * that read errors. It changes the array that Apollo Server formats, so that errors which are left out
 * are neither formatted nor logged.
 */
export const limitErrorsPlugin: ApolloServerPlugin<object> = {
  requestDidStart: async () => ({
    didEncounterErrors: async ({ errors }) => {
      const limited = limitErrors(errors);
      if (limited !== errors) (errors as GraphQLError[]).splice(0, errors.length, ...limited);
    },
  }),
};
