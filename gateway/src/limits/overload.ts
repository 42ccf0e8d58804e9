import underPressure from '@fastify/under-pressure';
import type { Metrics } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { RequestError } from '../errors/request-error.ts';

/** How often the event loop's delay is looked at, in milliseconds. */
const LOOK_EVERY_MS = 500;

/**
 * Says whether there is too much to do already. To be asked before queries, mutations and new
 * connections; not before a stream, which is shared and whose client would take it for its end.
 * @throws {RequestError} with 503, which says when to come back
 */
export type AssertNotOverloaded = () => void;

/**
 * Work that comes later than it should says that more would only make all of it later: then new
 * operations are refused at once, and those that run get done. A single long task, such as the start
 * itself, is no such sign: it must have lasted from one look to another.
 * @param maxDelayMs of the event loop, on average; 0: nothing is refused
 */
export async function watchOverload(
  app: FastifyInstance,
  maxDelayMs: number,
  metrics: Metrics,
): Promise<AssertNotOverloaded> {
  // Whom to refuse is decided below: probes and pages are answered all the same.
  await app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: LOOK_EVERY_MS,
    pressureHandler: () => undefined,
  });
  const refused = metrics.counter(
    'gateway_shed_total',
    'Operations that were refused since there was too much to do',
  );
  let since = Number.POSITIVE_INFINITY;
  return () => {
    if (!app.isUnderPressure()) {
      since = Number.POSITIVE_INFINITY;
      return;
    }
    since = Math.min(since, performance.now());
    if (performance.now() - since < LOOK_EVERY_MS) return;
    refused.inc();
    throw new RequestError(503, 'The gateway has too much to do right now: try again', {
      code: 'OVERLOADED',
      retryable: true,
    });
  };
}
