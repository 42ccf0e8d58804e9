import type { FastifyError, FastifyInstance } from 'fastify';
import type { Logger } from '../logger.ts';
import { maskError } from '../masked-error.ts';

/**
 * Handles errors that a route throws. A client error is sent unchanged. An internal error is logged, and
 * the response contains the id of its log line.
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
