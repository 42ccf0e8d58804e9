import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../errors/request-error.ts';
import { LimitExceeded } from './limit-exceeded.ts';
import { sendRefusal } from './send-refusal.ts';

const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/**
 * Creates the error handler of a route: rejected requests and unreadable bodies get a GraphQL error.
 * Other errors are rethrown to the handler that logs and hides them.
 * @param limit of a body, in bytes
 */
export function answerRefusals(limit: number) {
  return (
    error: FastifyError | RequestError,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply => {
    if (error instanceof RequestError) return sendRefusal(reply, error);
    const { statusCode = 500, code } = error;
    if (statusCode >= 500) throw error;
    if (code !== TOO_LARGE) {
      return sendRefusal(
        reply,
        new RequestError(statusCode, error.message, { code: 'BAD_REQUEST' }),
      );
    }
    // The announced size; a chunked body is only known to be larger than the limit.
    const announced = Number(request.headers['content-length']);
    const known = Number.isSafeInteger(announced) && announced > limit;
    return sendRefusal(
      reply,
      new LimitExceeded('body', {
        actual: known ? announced : limit,
        max: limit,
        more: !known,
        status: 413,
      }),
    );
  };
}
