import { encodeIdentity } from '@gudang/auth';
import type { Metrics } from '@gudang/runtime';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { GatewayContext } from '../context.ts';
import { AnswerParts, firstPart } from '../defer/answer-parts.ts';
import { hasDefer } from '../defer/deferred-operation.ts';
import type { HeaderReturn, ReturnedCollection } from '../headers/returned-headers.ts';
import type { AdmittedRequest } from '../limits/admission.ts';
import {
  AnswerBytes,
  type AnswerLimits,
  afterMutation,
  answerTooLarge,
  isLonger,
} from '../limits/answer-bytes.ts';
import type { CostlyOperations } from '../limits/costly-operations.ts';
import { createInFlight } from '../request-deduplication/in-flight.ts';
import type { Invalidation } from '../request-deduplication/invalidation.ts';
import { createRefCountedAbort, type OnAbort } from '../request-deduplication/ref-counted-abort.ts';
import { type HttpAnswer, hasNoErrors, type RequestPipeline } from './request-pipeline.ts';

export interface RequestDeduplication {
  /**
   * @param onAbort registers a listener for the client's disconnection. An execution is aborted
   * when no client waits for it any longer.
   */
  readonly answer: (
    request: AdmittedRequest,
    context: GatewayContext,
    onAbort: OnAbort,
  ) => Promise<HttpAnswer>;
}

/**
 * Answers identical queries in flight by one execution. Queries are identical if their operation,
 * variables, caller and forwarded headers are the same. An answer with headers of a subgraph belongs to
 * the request that started the execution; the others are executed on their own. Any other answer without errors that several requests share is also
 * sent to requests that arrive up to 10 ms later. The execution belongs to the trace of the first
 * request. If a shared execution fails because a subgraph did not answer, or because it was refused,
 * only its first request gets this failure, and the others are executed on their own. Mutations are
 * never shared. No query shares an execution that started before the last answered mutation or the
 * last received event.
 */
export function createRequestDeduplication({
  invalidation,
  pipeline,
  answers,
  returning,
  isShared = true,
  costly,
  present,
  metrics,
}: {
  invalidation: Invalidation;
  pipeline: RequestPipeline;
  answers: AnswerLimits;
  /** Selects the subgraphs' headers that clients receive. */
  returning?: HeaderReturn | undefined;
  /** Whether identical queries share an execution. Default: true */
  isShared?: boolean | undefined;
  costly: Pick<CostlyOperations, 'run'>;
  /** Presents the errors of deferred fragments. */
  present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  metrics: Metrics;
}): RequestDeduplication {
  const inFlight = createInFlight<HttpAnswer>(invalidation, {
    lingers: hasNoErrors,
    hasFailed: ({ isUnavailable = false }) => isUnavailable,
    ...(returning ? { isPrivate: ({ isPrivate = false }) => isPrivate } : {}),
  });
  const shared = metrics.counter(
    'gateway_shared_queries_total',
    'Queries answered by the execution of an identical query in flight or just ended',
  );
  const run = async (request: AdmittedRequest, context: GatewayContext): Promise<HttpAnswer> => {
    const isMutation = request.operation.operation === 'mutation';
    let isUnavailable = false;
    const onUnavailable = (): void => {
      isUnavailable = true;
    };
    const { identity, address = '' } = context;
    const caller = { identity, address };
    const bytes = new AnswerBytes(answers, caller);
    const returned = returning?.collect();
    const { maxBytes } = answers;
    const parts = isInParts(request) ? new AnswerParts({ present, maxBytes }) : undefined;
    const own = { ...context, onUnavailable, answer: bytes, returned, parts };
    try {
      const work = () => pipeline.answer(request, own);
      const answer = await (request.isCostly
        ? parts
          ? runUntilEnd((all) => costly.run(caller, all), work, parts)
          : costly.run(caller, work)
        : work());
      const refusal =
        bytes.refusal ?? (isLonger(answer.body, maxBytes) ? answerTooLarge(maxBytes) : undefined);
      if (refusal) throw isMutation ? afterMutation(refusal) : refusal;
      const whole = parts?.hasBegun ? { ...answer, body: firstPart(answer.body), parts } : answer;
      const complete = isUnavailable ? { ...whole, isUnavailable } : whole;
      return returned?.isEmpty === false ? withReturned(complete, returned) : complete;
    } finally {
      if (parts?.hasBegun) void parts.ended.then(() => bytes.end());
      else bytes.end();
      // A failed mutation may have changed data, too.
      if (isMutation) invalidation.mutationAnswered();
    }
  };
  return {
    answer: (request, context, onAbort) => {
      const key = isShared ? keyOf(request, context) : undefined;
      const retry = (): Promise<HttpAnswer> => {
        const abort = createRefCountedAbort();
        abort.retain(onAbort);
        return run(request, { ...context, signal: abort.signal, isRetry: true });
      };
      const found = key === undefined ? undefined : inFlight.join(key, onAbort, retry);
      if (found !== undefined) {
        shared.inc();
        return found;
      }
      const generation = invalidation.generation();
      const abort = createRefCountedAbort();
      abort.retain(onAbort);
      const work = run(request, { ...context, signal: abort.signal });
      if (key !== undefined) inFlight.offer(key, work, abort, generation);
      return work;
    },
  };
}

/**
 * Returns a request's key, an unambiguous encoding of everything that can change the answer. Returns
 * undefined for a mutation, which must not be shared.
 */
function keyOf(request: AdmittedRequest, { headers }: GatewayContext): string | undefined {
  const { query, operation, operationName, variables, accepts, method, preflight } = request;
  if (operation.operation !== 'query') return undefined;
  const { identity } = request.principal;
  const caller = identity.unrestricted ? '' : encodeIdentity(identity);
  const sent = method === 'GET' ? preflight : undefined;
  const forwarded = headers?.key;
  const type = isInParts(request) ? 'parts' : accepts.json;
  return JSON.stringify([query, variables, operationName, caller, type, sent, forwarded]);
}

/** Whether an answer may have several parts. */
export function isInParts({ accepts, document }: AdmittedRequest): boolean {
  return accepts.parts && hasDefer(document);
}

/** Runs the work of an answer until its last part. @returns the answer with its first part */
function runUntilEnd(
  run: (all: () => Promise<void>) => Promise<void>,
  work: () => Promise<HttpAnswer>,
  parts: AnswerParts,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const all = async (): Promise<void> => {
      resolve(await work());
      if (parts.hasBegun) await parts.ended;
    };
    run(all).catch(reject);
  });
}

/** Adds the headers of subgraphs to an answer, which no cache may store then. */
function withReturned(answer: HttpAnswer, returned: ReturnedCollection): HttpAnswer {
  const headers = [...answer.headers, ...NO_STORE, ...returned.list()];
  return { ...answer, headers, isPrivate: true };
}

const NO_STORE = [['cache-control', 'no-store']] as const;
