import type { FastifyReply } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';

const GRAPHQL = 'application/graphql-response+json';

/** Answers over HTTP with errors alone, in the media type that the client asked for. */
export function sendRefusal(
  reply: FastifyReply,
  status: number,
  errors: readonly GraphQLFormattedError[],
): FastifyReply {
  const type = reply.request.headers.accept?.includes(GRAPHQL) ? GRAPHQL : 'application/json';
  return reply.code(status).type(`${type}; charset=utf-8`).send(JSON.stringify({ errors }));
}
