import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { badRequest, RequestError } from '../errors/request-error.ts';
import { acceptedTypes, type JsonType } from './accepted-types.ts';

const BODY_TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/** Sends errors without data, in the JSON type that the client accepts; default: `application/json`. */
export function sendErrors(
  reply: FastifyReply,
  status: number,
  errors: readonly GraphQLFormattedError[],
): FastifyReply {
  const type = jsonTypeOf(reply.request.headers.accept);
  return reply
    .code(status)
    .type(`${type}; charset=utf-8`)
    .header('cache-control', 'no-store')
    .send(JSON.stringify({ errors }));
}

function jsonTypeOf(accept: string | undefined): JsonType {
  try {
    return acceptedTypes(accept).json ?? 'application/json';
  } catch {
    return 'application/json';
  }
}

/** Sends the error of a rejected request, with `Retry-After` if a retry can succeed. */
export function sendRequestError(reply: FastifyReply, error: RequestError): FastifyReply {
  const { status, headers, retryAfterS } = error;
  void reply.headers(headers);
  if (retryAfterS !== undefined) void reply.header('retry-after', retryAfterS);
  return sendErrors(reply, status, [error.toJSON()]);
}

/**
 * Creates a route's error handler. It answers rejected requests and unreadable bodies with a
 * GraphQL error. It rethrows other errors to the handler that logs and masks them.
 * @param limit maximum size of a body, in bytes
 */
export function createErrorHandler(limit: number) {
  return (
    error: FastifyError | RequestError,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply => {
    if (error instanceof RequestError) return sendRequestError(reply, error);
    const { statusCode = 500, code, message } = error;
    if (statusCode >= 500) throw error;
    if (code === BODY_TOO_LARGE) return sendRequestError(reply, bodyTooLarge(request, limit));
    return sendRequestError(reply, badRequest(message, statusCode));
  };
}

function bodyTooLarge({ headers }: FastifyRequest, limit: number): LimitExceeded {
  // `Content-Length` gives the size of the body. The size of a chunked body is unknown, except that
  // it exceeds the limit.
  const announced = Number(headers['content-length']);
  const known = Number.isSafeInteger(announced) && announced > limit;
  return new LimitExceeded('body', {
    actual: known ? announced : limit,
    max: limit,
    more: !known,
    status: 413,
  });
}
