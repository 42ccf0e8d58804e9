import { ServiceError } from '@gudang/service';
import { type Authentication, type Caller, NOBODY } from '@gudang/service/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Who sent each request. */
export interface RequestCallers {
  /** Finds out before anything of a request is read; whoever shows a bad token is refused here. */
  readonly identify: (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<FastifyReply | undefined>;
  /** Of a request that was identified. */
  readonly of: (request: FastifyRequest) => Caller;
}

export function createRequestCallers(auth: Authentication): RequestCallers {
  const callers = new WeakMap<FastifyRequest, Caller>();
  return {
    identify: async (request, reply) => {
      try {
        callers.set(request, await auth.callerOf(request.headers.authorization));
        return undefined;
      } catch (error) {
        if (error instanceof ServiceError) return refuse(reply, error);
        throw error;
      }
    },
    of: (request) => callers.get(request) ?? NOBODY,
  };
}

/** Answers that a token lets nobody in, or cannot be checked right now. */
function refuse(reply: FastifyReply, { code, message, extensions }: ServiceError): FastifyReply {
  if (code === 'UNAVAILABLE') void reply.code(503).header('retry-after', '1');
  else void reply.code(401).header('www-authenticate', 'Bearer error="invalid_token"');
  return reply.send({ errors: [{ message, extensions }] });
}
