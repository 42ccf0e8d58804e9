import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperationReader } from './live/operation-reader.ts';

/**
 * Keeps subscriptions from Apollo Server, which cannot run them, and whose validation throws on
 * some: they are answered with the protocol to use.
 */
export function refuseSubscriptions(read: OperationReader) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const { query, operationName } = (request.body ?? request.query ?? {}) as {
      query?: unknown;
      operationName?: unknown;
    };
    // Only texts that can hold a subscription are parsed here; Apollo parses the others itself.
    if (typeof query !== 'string' || !query.includes('subscription')) return undefined;
    if (!isSubscription(read, query, operationName)) return undefined;
    return reply.code(400).send({
      errors: [
        {
          message: 'Subscriptions are served over graphql-transport-ws, at this same address',
          extensions: { code: 'BAD_REQUEST' },
        },
      ],
    });
  };
}

function isSubscription(read: OperationReader, query: string, operationName: unknown): boolean {
  try {
    const name = typeof operationName === 'string' ? operationName : undefined;
    return read(query, name).operation.operation === 'subscription';
  } catch {
    return false;
  }
}
