import { setImmediate as nextIteration } from 'node:timers/promises';
import { isTracingAll } from '@gudang/runtime/tracing';
import type { RequirementsOf } from '../auth/field-requirements.ts';
import { authorizationError } from '../auth/field-requirements.ts';
import type { GatewayContext } from '../context.ts';
import { createTokenCache } from '../documents/document-cache.ts';
import type { AdmittedRequest } from '../limits/admission.ts';
import type { GraphqlMetrics } from './graphql-metrics.ts';
import type { ReadyContext, ReadyOperation } from './query-executor.ts';
import { type HttpAnswer, hasNoErrors, type RequestPipeline } from './request-pipeline.ts';

export interface OperationFastPath extends RequestPipeline {
  /** Removes all cached operations. Call it when the supergraph has changed. */
  readonly clear: () => void;
}

interface CachedOperation {
  readonly ready: ReadyOperation;
  readonly headers: HttpAnswer['headers'];
}

/**
 * Executes an operation without Apollo Server, after Apollo Server has answered it once without
 * errors. From then on, the text is known to be valid, and the headers of the answer are known. For
 * a query of a single entity, this reduces the gateway's CPU time to two thirds. Apollo Server still
 * handles callers without permission, variables that do not fit their types, and all requests while
 * every operation is traced. It also presents results with errors, but does not execute their operations again.
 * @param apollo must pass the context on to the query executor
 */
export function createOperationFastPath({
  apollo,
  requirementsOf,
  metrics,
}: {
  apollo: RequestPipeline;
  requirementsOf: RequirementsOf;
  metrics: Pick<GraphqlMetrics, 'answered'>;
}): OperationFastPath {
  const createCache = () => createTokenCache<CachedOperation>(({ ready }) => ready.parsed.document);
  let cache = createCache();

  /** Lets Apollo Server answer, and caches the operation if the answer has no errors. */
  const answerAndCache = async (
    key: string,
    request: AdmittedRequest,
    context: GatewayContext,
  ): Promise<HttpAnswer> => {
    // A change of the supergraph may replace the cache while the operation runs. The operation must
    // not enter the new cache.
    const current = cache;
    let ready: ReadyOperation | undefined;
    const own: ReadyContext = {
      ...context,
      onReady: (operation) => {
        ready = operation;
      },
    };
    const answer = await apollo.answer(request, own);
    if (ready && hasNoErrors(answer)) {
      current.set(key, { ready, headers: [...answer.headers] });
    }
    return answer;
  };

  return {
    answer: async (request, context) => {
      const key = isTracingAll() ? undefined : keyOf(request);
      if (key === undefined) return apollo.answer(request, context);
      const cached = cache.get(key);
      if (!cached) return answerAndCache(key, request, context);
      const { ready, headers } = cached;
      if (authorizationError(requirementsOf(ready.parsed), context.identity)) {
        return apollo.answer(request, context);
      }
      const startedAt = performance.now();
      const executed = ready.run(request.variables, context);
      if (!executed) return apollo.answer(request, context);
      const { operation } = ready.parsed;
      const result = await executed.catch(() => undefined);
      if (!result || result.errors || operation.operation === 'subscription') {
        const own: ReadyContext = { ...context, executed };
        return apollo.answer(request, own);
      }
      metrics.answered(operation, startedAt);
      if (context.answer?.isLarge) await nextIteration();
      return { status: 200, headers, body: JSON.stringify({ data: result.data }) };
    },
    clear: () => {
      cache = createCache();
    },
  };
}

/**
 * Returns a key that contains everything on which Apollo Server's answer depends, except variables
 * and caller. It contains the length of the operation name, so that different requests never share a
 * key. Returns undefined for a GET, which Apollo Server checks for CSRF.
 */
function keyOf({
  method,
  accepts,
  operationName = '',
  query,
}: AdmittedRequest): string | undefined {
  if (method === 'GET') return undefined;
  return `${accepts.json} ${operationName.length} ${operationName}${query}`;
}
