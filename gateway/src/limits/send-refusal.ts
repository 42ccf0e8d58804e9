import type { FastifyReply } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import type { RequestError } from '../errors/request-error.ts';

const GRAPHQL = 'application/graphql-response+json';

/** Answers over HTTP with errors alone, in the media type that the client asked for. */
export function sendErrors(
  reply: FastifyReply,
  status: number,
  errors: readonly GraphQLFormattedError[],
): FastifyReply {
  const type = reply.request.headers.accept?.includes(GRAPHQL) ? GRAPHQL : 'application/json';
  return reply.code(status).type(`${type}; charset=utf-8`).send(JSON.stringify({ errors }));
}

/** Answers over HTTP why a request is not answered, and when to ask again. */
export function sendRefusal(reply: FastifyReply, error: RequestError): FastifyReply {
  const { status, retryAfterS } = error;
  if (retryAfterS !== undefined) void reply.header('retry-after', retryAfterS);
  return sendErrors(reply, status, [error.toJSON()]);
}
