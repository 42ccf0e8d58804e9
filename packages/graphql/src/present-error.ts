import type { Logger } from '@gudang/runtime';
import { maskError, ServiceError } from '@gudang/runtime';
import { errorTrace } from '@gudang/runtime/tracing';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Codes of the caller's mistakes: of graphql-js, of Apollo Server, and of the gateway. */
const CALLERS_CODES = new Set([
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
 * What a caller sees of an error: known ones keep their code and message; an unknown one becomes
 * "Internal error" with an id under which the log has the whole of it.
 */
export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
  isOutage?: (error: unknown) => boolean,
): GraphQLFormattedError {
  // graphql-js gives a resolver's error a path; graphql-ws gives none to what a stream throws.
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (cause instanceof ServiceError) return formatted;
  const code = formatted.extensions?.['code'];
  const callers = typeof code === 'string' && CALLERS_CODES.has(code);
  if (callers || (cause instanceof GraphQLError && code === undefined)) return formatted;

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
