import { isTracing } from '@gudang/runtime/tracing';
import type { FastifyRequest } from 'fastify';
import { authorizationError } from '../auth/authorization-error.ts';
import type { RequirementsOf } from '../auth/field-requirements.ts';
import type { GatewayContext } from '../context.ts';
import { createTokenCache } from '../documents/document-cache.ts';
import {
  type AnswerRequest,
  type HttpAnswer,
  isWhole,
} from '../request-deduplication/shared-answers.ts';
import type { GraphqlMetrics } from './graphql-metrics.ts';
import type { ReadyContext, ReadyOperation } from './query-executor.ts';

export interface OperationFastPath {
  readonly answer: AnswerRequest;
  /** What was learnt of operations holds no longer: the supergraph is another one. */
  readonly forget: () => void;
}

interface Known {
  readonly ready: ReadyOperation;
  readonly headers: HttpAnswer['headers'];
}

/**
 * Answers operations that Apollo Server has answered before by executing them alone: that their text
 * can be parsed and is valid, and with what headers such a request is answered, is known by then.
 * Without Apollo Server's part a single stock costs two thirds. Whatever is out of the ordinary goes
 * through Apollo Server again: callers who may not, variables that do not fit, answers with errors
 * (which it shows, and does not execute again), and everything while traces are made.
 * @param answerByApollo must hand its context on to the executor
 */
export function createOperationFastPath({
  answerByApollo,
  requirementsOf,
  metrics,
}: {
  answerByApollo: AnswerRequest;
  requirementsOf: RequirementsOf;
  metrics: Pick<GraphqlMetrics, 'answered'>;
}): OperationFastPath {
  const createEmpty = () => createTokenCache<Known>(({ ready }) => ready.parsed.document);
  let kept = createEmpty();

  /** Learns how to do it alone, from an answer without errors. */
  const learn = async (
    key: string,
    request: FastifyRequest,
    context: ReadyContext,
  ): Promise<HttpAnswer> => {
    const into = kept;
    let ready: ReadyOperation | undefined;
    const onReady = (one: ReadyOperation): void => {
      ready = one;
    };
    const answer = await answerByApollo(request, { ...context, onReady } as ReadyContext);
    if (ready && isWhole(answer)) {
      into.set(key, { ready, headers: [...answer.headers] });
    }
    return answer;
  };

  const answer: AnswerRequest = async (request, context) => {
    const { admitted } = context;
    const key = isTracing() ? undefined : keyOf(request, admitted);
    if (key === undefined || !admitted) return answerByApollo(request, context);
    const known = kept.get(key);
    if (!known) return learn(key, request, context);
    const { ready, headers } = known;
    if (authorizationError(requirementsOf(ready.parsed), context.identity)) {
      return answerByApollo(request, context);
    }
    const from = performance.now();
    const executed = ready.run(admitted.variables, context);
    if (!executed) return answerByApollo(request, context);
    const kind = ready.parsed.operation.operation;
    context.begins?.(kind);
    const result = await executed.catch(() => undefined);
    if (!result || result.errors || kind === 'subscription') {
      return answerByApollo(request, { ...context, executed } as ReadyContext);
    }
    metrics.answered(ready.parsed.operation, from);
    const { data, extensions } = result;
    return { status: 200, headers, body: JSON.stringify({ data, extensions }) };
  };

  return {
    answer,
    forget: () => {
      kept = createEmpty();
    },
  };
}

/**
 * What the way of an operation through Apollo Server depends on, with the length of each part, so
 * that no two requests have the same key by chance. Undefined: it depends on more.
 */
function keyOf(
  { method, headers, body }: FastifyRequest,
  admitted: GatewayContext['admitted'],
): string | undefined {
  if (method !== 'POST' || headers['apollo-query-plan-experimental'] !== undefined)
    return undefined;
  if (!admitted || !isPlain(body)) return undefined;
  const { accept = '', 'content-type': type = '' } = headers;
  const { query, operationName = '' } = admitted;
  return `${type.length} ${type}${accept.length} ${accept}${operationName.length} ${operationName}${query}`;
}

/** A request in which Apollo Server would find no fault before it reads the text. */
function isPlain(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  return (
    (query === undefined || typeof query === 'string') &&
    (operationName === undefined || operationName === null || typeof operationName === 'string') &&
    isRecord(variables) &&
    isRecord(extensions)
  );
}

function isRecord(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && !Array.isArray(value));
}
