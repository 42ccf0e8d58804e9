import type { Identity } from '@gudang/auth';
import { encodeIdentity } from '@gudang/auth';
import type { Metrics } from '@gudang/runtime';
import type { FastifyRequest } from 'fastify';
import type { GatewayContext } from '../context.ts';
import { createInFlight } from './in-flight.ts';
import type { Invalidation } from './invalidation.ts';
import { createCrowd, type OnLeave } from './ref-counted-abort.ts';
import { watchOperation } from './watch-operation.ts';

/** An answer as it goes to clients: the same bytes to all who share it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: string;
}

export type AnswerRequest = (
  request: FastifyRequest,
  context: GatewayContext,
) => Promise<HttpAnswer>;

/** @param onLeave of the client: what nobody waits for any more is called off */
export type ShareAnswer = (
  request: FastifyRequest,
  context: GatewayContext,
  onLeave: OnLeave,
) => Promise<HttpAnswer>;

/** Whether it is data without errors: Apollo Server, and what answers in its place, puts errors first. */
export function isWhole({ status, body }: HttpAnswer): boolean {
  return status === 200 && body.startsWith('{"data"');
}

/**
 * Identical queries that come while one of them is executed are answered with its answer: the same
 * operation, variables and caller; also a moment later, where others were and it is whole. The trace
 * is the first one's. A mutation is never shared, nor does a query join one that was begun before
 * the last mutation that was answered, or the last event that came on a live stream.
 */
export function createSharedAnswers({
  invalidation,
  answer,
  metrics,
}: {
  invalidation: Invalidation;
  /** Executes a request. */
  answer: AnswerRequest;
  metrics: Metrics;
}): ShareAnswer {
  const inFlight = createInFlight<HttpAnswer>(invalidation, isWhole);
  const shared = metrics.counter(
    'gateway_shared_queries_total',
    'Queries answered by the execution of an identical one that was under way, or had been a moment ago',
  );
  return (request, context, onLeave) => {
    const key = keyOf(request, context.identity);
    const found = key === undefined ? undefined : inFlight.join(key, onLeave);
    if (found !== undefined) {
      shared.inc();
      return found;
    }
    const since = invalidation.generation();
    const crowd = createCrowd();
    crowd.add(onLeave);
    // A query is known as one only after the operation was parsed, which is later than this.
    const offer =
      key === undefined ? undefined : (): void => inFlight.offer(key, work, crowd, since);
    const own = { ...context, signal: crowd.signal };
    // Not at once: what is known to be a query from the start would be offered before it is there.
    const work: Promise<HttpAnswer> = Promise.resolve().then(() =>
      watchOperation(invalidation, own, (given) => answer(request, given), offer),
    );
    return work;
  };
}

/** Headers that change what Apollo answers. */
const TELLING = ['apollo-query-plan-experimental', 'apollo-query-plan-experimental-format'];

/** The same for requests that get the same answer; undefined when nobody can be said to ask the same. */
function keyOf(
  { method, url, headers, body }: FastifyRequest,
  identity: Identity,
): string | undefined {
  if (method !== 'POST' || typeof body !== 'object' || Array.isArray(body)) return undefined;
  if (TELLING.some((name) => headers[name] !== undefined)) return undefined;
  const caller = identity.unrestricted ? '' : encodeIdentity(identity);
  return `${caller}\n${headers.accept ?? ''}\n${headers['content-type']}\n${url}\n${JSON.stringify(body)}`;
}
