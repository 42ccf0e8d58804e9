import { isTracing, parseTraceparent, startSpan } from '@gudang/runtime/tracing';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * A span for each request of these routes, named after its method and route, whatever becomes of it.
 * Begins before any other hook that is added later.
 * @returns what caused a request, or its own span once it has one: W3C, for what comes of it
 */
export function traceRequests(
  rest: FastifyInstance,
  prefix: string,
): (request: FastifyRequest) => string | undefined {
  const traceparents = new WeakMap<FastifyRequest, string>();
  rest.addHook('onRequest', (request, reply, done) => {
    const parent = parseTraceparent(request.headers['traceparent']);
    const span = isTracing()
      ? startSpan(`${request.method} ${routeOf(request, prefix)}`, { kind: 'server', parent })
      : undefined;
    const traceparent = span?.traceparent ?? parent;
    if (traceparent) traceparents.set(request, traceparent);
    if (span) {
      // Not the hook onResponse, which a client that leaves early keeps from being called.
      reply.raw.once('close', () => {
        span.set('http.response.status_code', reply.statusCode);
        span.end(reply.statusCode < 500 ? undefined : `answered ${reply.statusCode}`);
      });
    }
    done();
  });
  return (request) => traceparents.get(request);
}

/** What fits no route shares a name: anybody can ask for any address. A slash at the end is no other route. */
function routeOf({ routeOptions }: FastifyRequest, prefix: string): string {
  return (routeOptions.url ?? `${prefix}/*`).replace(/\/$/, '');
}
