import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from '../logger.ts';
import { maskError } from '../masked-error.ts';

/**
 * Answers errors that no route answers itself: the client's own as they are, all others with an id
 * under which the log has the whole of it.
 */
export function maskErrors(
  app: FastifyInstance,
  log: Logger,
  isOutage?: (error: unknown) => boolean,
): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode < 500) {
      const extensions = { code: 'BAD_REQUEST' };
      return reply.code(statusCode).send({ errors: [{ message: error.message, extensions }] });
    }
    const where = `${request.method} ${request.routeOptions.url ?? ''}`;
    const { message, errorId, outage } = maskError(error, log, { where }, isOutage);
    const extensions = outage
      ? { code: 'UNAVAILABLE', retryable: true, errorId }
      : { code: 'INTERNAL_SERVER_ERROR', errorId };
    return reply.code(outage ? 503 : 500).send({ errors: [{ message, extensions }] });
  });
}
