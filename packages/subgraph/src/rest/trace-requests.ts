import { isTracing, readTraceContext, startSpan } from '@gudang/runtime/tracing';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Creates a span for each request, named after the request's method and route. This function must be
 * called before other hooks are added, so that a request that one of them rejects also has a span.
 * @returns a function that returns the W3C traceparent to propagate: the traceparent of the request's
 *   span, or of the request's cause if the request is not traced
 */
export function traceRequests(
  rest: FastifyInstance,
  prefix: string,
): (request: FastifyRequest) => string | undefined {
  const traceparents = new WeakMap<FastifyRequest, string>();
  rest.addHook('onRequest', (request, reply, done) => {
    const parent = readTraceContext(request.headers)['traceparent'];
    const span = isTracing()
      ? startSpan(`${request.method} ${routeOf(request, prefix)}`, {
          kind: 'server',
          parent,
          isEntry: true,
        })
      : undefined;
    const traceparent = span?.traceparent ?? parent;
    if (traceparent) traceparents.set(request, traceparent);
    if (span) {
      // The span does not end in the hook onResponse, because Fastify does not call this hook if the
      // client disconnects.
      reply.raw.once('close', () => {
        span.set('http.response.status_code', reply.statusCode);
        span.end(reply.statusCode < 500 ? undefined : `answered ${reply.statusCode}`);
      });
    }
    done();
  });
  return (request) => traceparents.get(request);
}

/**
 * Returns the route's name. Requests without a route share one name, so that clients cannot create new
 * span names.
 */
function routeOf({ routeOptions }: FastifyRequest, prefix: string): string {
  return (routeOptions.url ?? `${prefix}/*`).replace(/\/$/, '');
}
