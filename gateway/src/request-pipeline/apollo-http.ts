import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayContext } from '../context.ts';
import type { AnswerRequest, HttpAnswer } from '../request-deduplication/shared-answers.ts';

/**
 * Has Apollo Server answer requests that Fastify has read. In place of @as-integrations/fastify's
 * handler, which writes each answer into one reply: here several may get the same.
 */
export function createApolloHttp(server: ApolloServer<GatewayContext>): AnswerRequest {
  return async (request, contextValue) => {
    const { status, headers, body } = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        body: request.body,
        method: request.method,
        headers: headersOf(request),
        search: searchOf(request.url),
      },
      context: async () => contextValue,
    });
    if (body.kind !== 'complete') throw new Error('an incremental answer was not asked for');
    return { status: status ?? 200, headers, body: body.string };
  };
}

export function sendAnswer(reply: FastifyReply, { status, headers, body }: HttpAnswer): string {
  void reply.code(status);
  for (const [name, value] of headers) void reply.header(name, value);
  return body;
}

function headersOf({ headers }: FastifyRequest): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return map;
}

/** The part of a request target from its question mark on. */
export function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}
