import underPressure from '@fastify/under-pressure';
import type { Metrics } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { RequestError } from '../errors/request-error.ts';

/** Interval of measuring the event loop's delay, in milliseconds. */
const SAMPLE_INTERVAL_MS = 500;

/**
 * Call before queries, mutations and new connections, but not before a stream: its client would
 * treat the rejection as the end of the stream.
 * @throws {RequestError} 503 `OVERLOADED` with `Retry-After`
 */
export type AssertNotOverloaded = () => void;

/**
 * Overload protection. While the event loop is late, new operations are rejected at once, so that
 * running operations complete. A single long task, such as the gateway's start, does not count: the
 * delay must last from one sample to the next.
 * @param maxDelayMs average delay of the event loop; 0 rejects nothing
 */
export async function watchOverload(
  app: FastifyInstance,
  maxDelayMs: number,
  metrics: Metrics,
): Promise<AssertNotOverloaded> {
  // The handler does nothing: probes and pages are answered under load, and the returned function
  // rejects GraphQL operations only.
  await app.register(underPressure, {
    maxEventLoopDelay: maxDelayMs,
    sampleInterval: SAMPLE_INTERVAL_MS,
    pressureHandler: () => undefined,
  });
  const refused = metrics.counter(
    'gateway_shed_total',
    'Operations rejected because the gateway is overloaded',
  );
  let since = Number.POSITIVE_INFINITY;
  return () => {
    if (!app.isUnderPressure()) {
      since = Number.POSITIVE_INFINITY;
      return;
    }
    since = Math.min(since, performance.now());
    if (performance.now() - since < SAMPLE_INTERVAL_MS) return;
    refused.inc();
    throw new RequestError(503, 'The gateway is overloaded: try again', {
      code: 'OVERLOADED',
      retryable: true,
    });
  };
}
