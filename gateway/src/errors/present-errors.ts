import { limitError, presentAllErrors, presentError } from '@gudang/graphql';
import type { Logger } from '@gudang/runtime';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { logPlanningError } from './planning-error.ts';
import { PluginError } from './request-error.ts';

/** Extensions of subgraphs' errors that clients must not see. */
const INTERNAL = ['stacktrace', 'exception', 'originalError'] as const;

/**
 * Presents an error to a client. A subgraph's error keeps its message and extensions, because the
 * subgraph has already masked internal errors. The `errorId` identifies the entry in the subgraph's
 * log.
 */
export function presentGatewayError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
): GraphQLFormattedError {
  if (formatted.extensions?.['serviceName'] === undefined) {
    if (error instanceof PluginError) return limitError(formatted);
    // The executor found that a subgraph's data does not fit the schema. The message names the field.
    if (formatted.extensions?.['code'] === 'DOWNSTREAM_SERVICE_ERROR') return limitError(formatted);
    logPlanningError(error, log);
    return presentError(formatted, error, log);
  }
  const extensions = { ...formatted.extensions };
  for (const name of INTERNAL) delete extensions[name];
  return limitError({ ...formatted, extensions });
}

/**
 * Presents the errors of websockets and HTTP streams in the same way as Apollo Server presents its
 * own.
 */
export function presentErrors(
  errors: readonly GraphQLError[],
  log: Logger,
): readonly GraphQLFormattedError[] {
  return presentAllErrors(errors.map(toGraphQLError), (formatted, error) =>
    presentGatewayError(formatted, error, log),
  );
}

function toGraphQLError(error: Error): GraphQLError {
  return error instanceof GraphQLError
    ? error
    : new GraphQLError(error.message, { originalError: error });
}
