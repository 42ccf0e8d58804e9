import type { Logger } from '@gudang/runtime';
import { maskError, ServiceError } from '@gudang/runtime';
import { errorTrace } from '@gudang/runtime/tracing';
import { GraphQLError, type GraphQLFormattedError, Kind } from 'graphql';

/** Codes of client errors in graphql-js, Apollo Server and the gateway. */
const CLIENT_ERROR_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'LIMIT_EXCEEDED',
  'RATE_LIMITED',
  'OVERLOADED',
  'QUERY_NOT_IN_SAFELIST',
  'PERSISTED_QUERY_NOT_IN_LIST',
]);

/**
 * Returns the error as the caller sees it. A client error keeps its code and message. An internal error
 * is logged; the caller receives "Internal error" and the id of the log line.
 */
export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
  isOutage?: (error: unknown) => boolean,
): GraphQLFormattedError {
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (cause instanceof ServiceError) return formatted;
  if (isArgumentError(cause)) {
    return { ...formatted, extensions: { ...formatted.extensions, code: 'BAD_USER_INPUT' } };
  }
  const code = formatted.extensions?.['code'];
  const isClientError = typeof code === 'string' && CLIENT_ERROR_CODES.has(code);
  if (isClientError || (cause instanceof GraphQLError && code === undefined)) return formatted;

  // Only errors of resolvers have a path. An error of a subscription's stream has none.
  const { message, errorId, outage } = maskError(
    cause,
    log,
    { path: formatted.path, trace_id: errorTrace(error) },
    isOutage,
  );
  return {
    message,
    ...(formatted.path ? { path: formatted.path } : {}),
    ...(formatted.locations ? { locations: formatted.locations } : {}),
    extensions: outage
      ? { code: 'UNAVAILABLE', retryable: true, errorId }
      : { code: 'INTERNAL_SERVER_ERROR', errorId },
  };
}

/**
 * Whether graphql-js rejected the value of an argument during execution, such as null from a variable of
 * a nullable type. Its other execution errors point at a field, or at nothing.
 */
function isArgumentError(cause: unknown): boolean {
  if (!(cause instanceof GraphQLError) || cause.extensions['code'] !== undefined) return false;
  const kind = cause.nodes?.[0]?.kind;
  return kind === Kind.VARIABLE || kind === Kind.DIRECTIVE || kind?.endsWith('Value') === true;
}
