import { presentError } from '@gudang/graphql';
import type { Logger } from '@gudang/runtime';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

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
    // The executor found that a subgraph's data does not fit the schema. The message names the field.
    if (formatted.extensions?.['code'] === 'DOWNSTREAM_SERVICE_ERROR') return bounded(formatted);
    return presentError(bounded(formatted), error, log);
  }
  const extensions = { ...formatted.extensions };
  for (const name of INTERNAL) delete extensions[name];
  return { ...formatted, extensions };
}

/**
 * Maximum number of characters in a message. Messages of graphql-js contain names and values from
 * the request, which can have any length.
 */
const MAX_MESSAGE_LENGTH = 1_000;

function bounded(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const { message } = formatted;
  if (message.length <= MAX_MESSAGE_LENGTH) return formatted;
  return { ...formatted, message: `${message.slice(0, MAX_MESSAGE_LENGTH)}…` };
}

/**
 * Presents the errors of websockets and HTTP streams in the same way as Apollo Server presents its
 * own.
 */
export function presentErrors(
  errors: readonly GraphQLError[],
  log: Logger,
): readonly GraphQLFormattedError[] {
  return errors.map((error) => {
    const formatted = error instanceof GraphQLError ? error.toJSON() : { message: String(error) };
    return presentGatewayError(formatted, error, log);
  });
}
