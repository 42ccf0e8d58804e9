import type { GraphQLFormattedError } from 'graphql';

/**
 * Returns the errors in the payload of an `error` message. Some subgraphs send one error instead of
 * a list, or no message.
 */
export function errorsIn(payload: unknown): readonly GraphQLFormattedError[] {
  const given: readonly unknown[] = Array.isArray(payload) ? payload : [payload];
  const errors = given.filter(isError);
  if (errors.length === 0) {
    const message = 'The subgraph ended the operation with an error that has no message';
    return [{ message, extensions: { code: 'WEBSOCKET_MESSAGE_ERROR' } }];
  }
  return errors.map(({ extensions, ...error }) =>
    typeof extensions === 'object' && extensions !== null ? { ...error, extensions } : error,
  );
}

function isError(value: unknown): value is GraphQLFormattedError {
  return typeof (value as { message?: unknown } | null | undefined)?.message === 'string';
}

/** The error of an operation whose message the gateway cannot handle. */
export function malformedMessage(subgraph: string): GraphQLFormattedError {
  return {
    message: `The stream ended: the subgraph ${subgraph} sent a message that does not follow graphql-transport-ws.`,
    extensions: { code: 'WEBSOCKET_MESSAGE_ERROR' },
  };
}

/** The error of an operation that is larger than a message to its subgraph may be, in bytes. */
export function messageTooLarge(
  subgraph: string,
  actual: number,
  max: number,
): GraphQLFormattedError {
  return {
    message: `The operation's message to the subgraph ${subgraph} has ${actual.toLocaleString('en')} bytes, above the limit of ${max.toLocaleString('en')}: send fewer or shorter values`,
    extensions: { code: 'LIMIT_EXCEEDED', limit: 'message', max, actual },
  };
}

/** The error of an operation because of which a subgraph closed its connection. */
export function connectionClosed(
  subgraph: string,
  { code, reason }: { readonly code: number; readonly reason: string },
): GraphQLFormattedError {
  const why = reason === '' ? `${code}` : `${code} ${reason}`;
  return {
    message: `The subgraph ${subgraph} closed the connection because of this operation: ${why}`,
    extensions: { code: 'WEBSOCKET_CLOSE_ERROR', closeCode: code },
  };
}

/** The error of an operation that has waited too long for its subgraph. */
export function subgraphUnavailable(subgraph: string, limitMs: number): GraphQLFormattedError {
  return {
    message: `The stream ended: the subgraph ${subgraph} has been unavailable for longer than ${limitMs / 1000} s. Subscribe again later.`,
    extensions: { code: 'UNAVAILABLE', retryable: true },
  };
}

/** The error of an operation that needs a further connection to a subgraph, above the limit. */
export function tooManyConnections(subgraph: string, max: number): GraphQLFormattedError {
  return {
    message: `The gateway has ${max.toLocaleString('en')} connections to the subgraph ${subgraph}, one for each set of forwarded headers: subscribe again later`,
    extensions: { code: 'OVERLOADED', retryable: true, serviceName: subgraph },
  };
}

/** The error of an operation that failed because of a defect of the gateway. */
export function internalError(): GraphQLFormattedError {
  return { message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR' } };
}
