import type { Logger } from '@gudang/runtime';
import { maskError, ServiceError } from '@gudang/runtime';
import { errorTrace } from '@gudang/runtime/tracing';
import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';
import { limitError, limitErrors } from './error-limits.ts';

/** Codes of client errors in graphql-js, Apollo Server and the gateway. */
const CLIENT_ERROR_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PLANNING_FAILED',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'OVERLOADED',
  'QUERY_NOT_IN_SAFELIST',
  'PERSISTED_QUERY_NOT_IN_LIST',
  'TOO_MANY_ERRORS',
]);

/**
 * Returns the error as the caller sees it, with limited size. A client error keeps its code and message.
 * An internal error is logged; the caller receives "Internal error" and the id of the log line.
 */
export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
  isOutage?: (error: unknown) => boolean,
): GraphQLFormattedError {
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (cause instanceof ServiceError) return limitError(formatted);
  if (isInputError(error) || isInputError(cause)) {
    const extensions = { ...formatted.extensions, code: 'BAD_USER_INPUT' };
    return limitError({ ...formatted, extensions });
  }
  const code = formatted.extensions?.['code'];
  const isClientError = typeof code === 'string' && CLIENT_ERROR_CODES.has(code);
  // An error of graphql-js that has a path is about the data of a resolver, not about the request.
  const isAboutRequest = cause instanceof GraphQLError && code === undefined && !formatted.path;
  if (isClientError || isAboutRequest) return limitError(formatted);

  // Only errors of resolvers have a path. An error of a subscription's stream has none.
  const { message, errorId, outage } = maskError(
    cause,
    log,
    { path: formatted.path, trace_id: errorTrace(error) },
    isOutage,
  );
  return limitError({
    message,
    ...(formatted.path ? { path: formatted.path } : {}),
    ...(formatted.locations ? { locations: formatted.locations } : {}),
    extensions: outage
      ? { code: 'UNAVAILABLE', retryable: true, errorId }
      : { code: 'INTERNAL_SERVER_ERROR', errorId },
  });
}

/**
 * Whether graphql-js rejected the value of a variable, or of an argument during execution, such as null
 * from a variable of a nullable type. Its other execution errors point at a field, or at nothing.
 */
function isInputError(cause: unknown): boolean {
  if (!(cause instanceof GraphQLError) || cause.extensions['code'] !== undefined) return false;
  const kind = cause.nodes?.[0]?.kind;
  if (kind === Kind.VARIABLE_DEFINITION || kind === Kind.VARIABLE) return true;
  return kind === Kind.DIRECTIVE || kind?.endsWith('Value') === true;
}

/** Presents the errors of an answer. @returns at most 20 errors, and one about those that are left out */
export function presentAllErrors(
  errors: readonly GraphQLError[],
  present: (formatted: GraphQLFormattedError, error: GraphQLError) => GraphQLFormattedError,
): readonly GraphQLFormattedError[] {
  return limitErrors(errors).map((error) => present(error.toJSON(), error));
}
