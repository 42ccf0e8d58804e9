import { presentError } from '@gudang/graphql';
import type { Logger } from '@gudang/runtime';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** Extensions of other servers' errors that are no business of a client. */
const INTERNAL = ['stacktrace', 'exception', 'originalError'] as const;

/**
 * What a client sees of an error. One that a subgraph sent keeps its message and extensions: that
 * subgraph has masked what it had to, and its errorId leads to its log.
 */
export function presentGatewayError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
): GraphQLFormattedError {
  if (formatted.extensions?.['serviceName'] === undefined) {
    return presentError(bounded(formatted), error, log);
  }
  const extensions = { ...formatted.extensions };
  for (const name of INTERNAL) delete extensions[name];
  return { ...formatted, extensions };
}

/** graphql-js repeats names and values of the request in its messages, however long. */
const MAX_MESSAGE_LENGTH = 1_000;

function bounded(formatted: GraphQLFormattedError): GraphQLFormattedError {
  const { message } = formatted;
  if (message.length <= MAX_MESSAGE_LENGTH) return formatted;
  return { ...formatted, message: `${message.slice(0, MAX_MESSAGE_LENGTH)}…` };
}

/** Errors outside Apollo Server's own pipeline, as it would show them. */
export function presentErrors(
  errors: readonly GraphQLError[],
  log: Logger,
): readonly GraphQLFormattedError[] {
  return errors.map((error) => {
    const formatted = error instanceof GraphQLError ? error.toJSON() : { message: String(error) };
    return presentGatewayError(formatted, error, log);
  });
}
