import underPressure from '@fastify/under-pressure';
import type { Metrics } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { RequestError } from '../errors/request-error.ts';

/** Interval between measurements of the event loop lag, in milliseconds. */
const SAMPLE_INTERVAL_MS = 500;

/**
 * Rejects an operation while the gateway is overloaded. Call it before queries, mutations and new
 * connections. Do not call it before a stream, because the client would treat the rejection as the
 * end of the stream.
 * @throws {RequestError} 503 `OVERLOADED` with `Retry-After`
 */
export type AssertNotOverloaded = () => void;

/**
 * Overload protection. While the event loop lag is too high, new operations are rejected at once,
 * so that running operations can complete. A single long task, such as the gateway's start, causes
 * no rejections, because the lag must last from one sample to the next.
 * @param maxDelayMs maximum average event loop lag, in milliseconds; 0 turns the protection off
 */
export async function watchOverload(
  app: FastifyInstance,
  maxDelayMs: number,
  metrics: Metrics,
): Promise<AssertNotOverloaded> {
  // The handler does nothing, so that probes and pages are answered even under load. Only GraphQL
  // operations are rejected, by the returned function.
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
