import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { RequestCallers } from '../auth/request-callers.ts';
import { contextOf } from '../context.ts';
import { RequestError } from '../errors/request-error.ts';
import { createErrorHandler } from '../errors/send-errors.ts';
import { admittedOf } from '../limits/admission.ts';
import type { AssertNotOverloaded } from '../limits/overload.ts';
import type { HttpStreams } from '../live/transports/http/http-streams.ts';
import type { OnAbort } from '../request-deduplication/ref-counted-abort.ts';
import type { RequestDeduplication } from '../request-deduplication/request-deduplication.ts';

/** Serves `/graphql`: queries, mutations, and live streams over HTTP. */
export function serveGraphql({
  app,
  callers,
  streams,
  requests,
  assertNotOverloaded,
  bodyBytes,
}: {
  app: FastifyInstance;
  callers: RequestCallers;
  /** Handles requests for live streams. */
  streams: Pick<HttpStreams, 'handle'>;
  /** Answers all other requests. */
  requests: RequestDeduplication;
  assertNotOverloaded: AssertNotOverloaded;
  bodyBytes: number;
}): void {
  app.route({
    method: ['GET', 'POST', 'OPTIONS'],
    url: '/graphql',
    bodyLimit: bodyBytes,
    errorHandler: createErrorHandler(bodyBytes),
    onRequest: [
      ({ headers, raw }, _reply, done) => {
        // Fastify ignores the part of the target that follows `#`, but Apollo Server would read it.
        if (raw.url?.includes('#')) throw FRAGMENT;
        if (!headers.accept?.includes('text/event-stream')) assertNotOverloaded();
        done();
      },
      callers.identify,
    ],
    // Subscriptions must not reach Apollo Server: it does not run them, and for some of them its
    // validation throws.
    preHandler: (request, reply) => streams.handle(request, reply),
    handler: async (request, reply) => {
      const admitted = admittedOf(request);
      const context = {
        ...contextOf(request.headers, callers.of(request).identity),
        ...(admitted ? { admitted } : {}),
      };
      const answer = await requests.answer(request, context, onDisconnect(reply.raw));
      void reply.code(answer.status);
      for (const [name, value] of answer.headers) void reply.header(name, value);
      return answer.body;
    },
  });
}

const FRAGMENT = new RequestError(
  400,
  'A request target must not have a fragment (RFC 9112, 3.2)',
  {
    code: 'BAD_REQUEST',
  },
);

/**
 * Returns a function that registers listeners. They are called if the client disconnects before its
 * answer has been sent.
 */
function onDisconnect(response: ServerResponse): OnAbort {
  return (listener) => {
    response.once('close', () => {
      if (!response.writableFinished) listener();
    });
  };
}
