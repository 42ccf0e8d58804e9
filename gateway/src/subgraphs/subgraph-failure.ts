import { type Logger, withoutCredentials } from '@gudang/runtime';
import { AbortedError, RefusedError, TimeoutError } from './http-request.ts';
import { isOutageStatus, type SharedAnswer, type SubgraphAnswer } from './subgraph-answer.ts';

/** Thrown if the subgraph's answer is not a GraphQL response. */
export class InvalidAnswerError extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, reason: string) {
    super(`HTTP ${statusCode}: ${reason}`);
    this.statusCode = statusCode;
  }
}
/** Thrown if too many requests wait for a connection to the subgraph. */
export class QueueFullError extends Error {}
/** Thrown if the subgraph's circuit breaker refuses the request. */
export class BreakerOpenError extends Error {}

/** Minimum time between two warnings about outages of a subgraph, in milliseconds. */
const WARN_EVERY_MS = 5_000;

const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** Whether the connection was closed before an answer arrived. */
export function isClosed(error: unknown): boolean {
  return CLOSED.has(codeOf(error));
}

/** Whether a query may succeed if it is sent again at once. A request that timed out has no time left. */
export function isRepeatable(error: unknown): boolean {
  if (error instanceof InvalidAnswerError) return isOutageStatus(error.statusCode);
  return isClosed(error) || codeOf(error) === 'ECONNREFUSED';
}

/**
 * Returns the state of the subgraph that a failed request shows. A subgraph that refuses a request with a status of 4xx, or
 * whose answer is too large, answers. A request that was not sent, or whose client has left, says nothing:
 * otherwise, clients that leave early could make a subgraph look unavailable.
 */
export function outcomeOf(error: unknown): 'answered' | 'failed' | 'unknown' {
  if (error instanceof AbortedError || error instanceof QueueFullError) return 'unknown';
  if (error instanceof RefusedError) return 'answered';
  if (!(error instanceof InvalidAnswerError)) return 'failed';
  return error.statusCode >= 400 && error.statusCode < 500 ? 'answered' : 'failed';
}

/** Failure of a request to a subgraph. */
interface SubgraphFailure {
  /** Reason, which continues the sentence "The subgraph products …". */
  readonly reason: string;
  /** Whether the subgraph may have received the request. */
  readonly sent: boolean;
}

function describeFailure(error: unknown, timeoutMs: number): SubgraphFailure {
  if (error instanceof InvalidAnswerError) {
    return { reason: 'sent an answer that is not GraphQL', sent: true };
  }
  if (error instanceof QueueFullError) return { reason: 'is overloaded', sent: false };
  if (error instanceof TimeoutError || TIMEOUTS.has(codeOf(error))) {
    return { reason: `did not answer within ${timeoutMs} ms`, sent: true };
  }
  if (isClosed(error)) return { reason: 'closed the connection before it answered', sent: true };
  return { reason: 'is unreachable', sent: false };
}

/**
 * Returns an answer with an error, in place of the missing answer. The error names the subgraph,
 * but not its address. Only the log contains the cause.
 * @param unsure whether a mutation may have been executed despite the failure
 */
export function unavailableAnswer(
  subgraph: string,
  reason: string,
  unsure: boolean,
): SubgraphAnswer {
  const advice = unsure
    ? 'the mutation may have been executed: check before you repeat it'
    : 'try again';
  const extensions = unsure ? { code: 'UNAVAILABLE' } : { code: 'UNAVAILABLE', retryable: true };
  return { errors: [{ message: `The subgraph ${subgraph} ${reason}; ${advice}`, extensions }] };
}

export interface OutcomeLog {
  readonly succeeded: () => void;
  /**
   * @param isLater whether the operation has sent a mutation before, so that it must not be repeated
   * @returns the answer that replaces the missing one
   */
  readonly failed: (error: unknown, mutation: boolean, isLater: boolean) => SharedAnswer;
}

/**
 * Logs the start and the end of a subgraph's outages, and creates the answers that replace missing
 * answers of the subgraph.
 */
export function createOutcomeLog({
  name,
  url,
  timeoutMs,
  log,
}: {
  name: string;
  url: string;
  timeoutMs: number;
  log: Logger;
}): OutcomeLog {
  let available = true;
  let warnedAt = Number.NEGATIVE_INFINITY;
  const failed = (answer: SubgraphAnswer): SharedAnswer =>
    Object.assign(() => answer, { hasErrors: true, hasFailed: true, isOutage: true, bytes: 0 });
  const unavailable = (reason: string, unsure = false): SharedAnswer =>
    failed(unavailableAnswer(name, reason, unsure));
  return {
    succeeded: () => {
      if (!available) log.info({ subgraph: name }, `the subgraph ${name} answers again`);
      available = true;
    },
    failed: (error, mutation, isLater) => {
      if (error instanceof AbortedError) return unavailable('was cancelled by the client');
      if (error instanceof BreakerOpenError) return unavailable('is unavailable', isLater);
      if (error instanceof RefusedError) {
        const { refusal } = error;
        return Object.assign(failed({ errors: [refusal.toJSON()] }), { refusal });
      }
      const { reason, sent } = describeFailure(error, timeoutMs);
      // Log one warning per outage, not one per request, and few if every second request fails.
      const now = performance.now();
      const isNews = available && now - warnedAt > WARN_EVERY_MS;
      if (isNews) {
        available = false;
        warnedAt = now;
      }
      log[isNews ? 'warn' : 'debug'](
        { subgraph: name, url: withoutCredentials(url), reason: String(error) },
        `the subgraph ${name} ${reason}`,
      );
      return unavailable(reason, mutation && (sent || isLater));
    },
  };
}
