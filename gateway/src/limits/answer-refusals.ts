import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../errors/request-error.ts';
import { LimitExceeded } from './limit-exceeded.ts';
import { sendRefusal } from './send-refusal.ts';

const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/**
 * Answers requests that are refused, and those whose body cannot be read, in the words of GraphQL.
 * Other errors are thrown on, to whoever logs and hides them.
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
    // What was announced; of a body in chunks, all that is known is that it is more.
    const told = Number(request.headers['content-length']);
    const known = Number.isSafeInteger(told) && told > limit;
    return sendRefusal(
      reply,
      new LimitExceeded('body', {
        actual: known ? told : limit,
        max: limit,
        more: !known,
        status: 413,
      }),
    );
  };
}
