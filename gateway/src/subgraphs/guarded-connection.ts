import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@gudang/runtime';
import { type Admission, type BreakerState, CircuitBreaker, REFUSED } from './circuit-breaker.ts';
import type { SharedAnswer } from './subgraph-answer.ts';
import type { PostOptions, SubgraphConnection } from './subgraph-connection.ts';
import { BreakerOpenError, isClosed, isRepeatable, outcomeOf } from './subgraph-failure.ts';
import type { SubgraphLimits } from './subgraph-limits.ts';

/** Pauses of an open breaker after which the gateway tries the subgraph itself, if no client's query has. */
const OWN_TRIAL_PAUSES = 2;
/** Pause before a retry, in milliseconds: half of it at least, and doubled for each further retry. */
const RETRY_PAUSE_MS = 50;

export interface GuardEvents {
  readonly onRetry: () => void;
  readonly onRefused: () => void;
  readonly onOpened: () => void;
}

/** A connection with retries and a circuit breaker. */
export interface GuardedConnection {
  /**
   * Sends a GraphQL request. A query is sent again, within its time-out, if its connection was closed or
   * refused, or if the answer is not GraphQL and has the status 502, 503 or 504.
   * @param isMutation whether the request must be sent at most once
   * @throws {BreakerOpenError} @throws what `SubgraphConnection.post` throws
   */
  readonly post: (
    body: string,
    headers: Readonly<Record<string, string>>,
    options: PostOptions,
    isMutation: boolean,
  ) => Promise<SharedAnswer>;
  readonly state: () => BreakerState;
  /** Ends the gateway's own trials. */
  readonly stop: () => void;
}

/**
 * Guards the connection to a subgraph.
 * @param probe sends a small query of the gateway's own
 */
export function createGuardedConnection(
  connection: Pick<SubgraphConnection, 'post'>,
  probe: () => Promise<SharedAnswer>,
  {
    name,
    limits: { retries, breaker: limits },
    events,
    log,
  }: {
    readonly name: string;
    readonly limits: Pick<SubgraphLimits, 'retries' | 'breaker'>;
    readonly events: GuardEvents;
    readonly log: Pick<Logger, 'info' | 'warn'>;
  },
): GuardedConnection {
  const breaker = new CircuitBreaker(limits);
  /** One for all requests, because an error's stack costs more than the refusal. */
  const refusal = new BreakerOpenError();

  const succeeded = (admission: Admission): void => {
    if (breaker.succeeded(admission)) {
      log.info({ subgraph: name }, `requests are sent to the subgraph ${name} again`);
    }
  };
  const failed = (admission: Admission): void => {
    if (!breaker.failed(admission)) return;
    events.onOpened();
    tryLater();
    log.warn(
      { subgraph: name },
      `most requests to the subgraph ${name} fail: it gets no requests, except one query every ${limits.pauseMs} ms until it answers`,
    );
  };
  const observe = async (
    admission: Admission,
    sent: Promise<SharedAnswer>,
  ): Promise<SharedAnswer> => {
    try {
      const answer = await sent;
      if (answer.isOutage) failed(admission);
      else succeeded(admission);
      return answer;
    } catch (error) {
      const outcome = outcomeOf(error);
      if (outcome === 'failed') failed(admission);
      else if (outcome === 'answered') succeeded(admission);
      else breaker.abandoned(admission);
      throw error;
    }
  };

  const postQuery = async (
    ...[body, headers, options]: Parameters<SubgraphConnection['post']>
  ): Promise<SharedAnswer> => {
    const until = performance.now() + options.ms;
    let ms = options.ms;
    for (let retry = 0; ; retry += 1) {
      try {
        return await connection.post(body, headers, { ...options, ms });
      } catch (error) {
        const isLast = retry >= retries || !isRepeatable(error) || breaker.state !== 'closed';
        // The subgraph has probably just closed an idle connection: the next one is tried at once.
        const waitMs = retry === 0 && isClosed(error) ? 0 : retryPause(retry);
        ms = until - performance.now() - waitMs;
        if (isLast || ms <= 0) throw error;
        events.onRetry();
        if (waitMs > 0) await pause(waitMs);
      }
    }
  };

  /** Tries the subgraph by a query of the gateway's own, because no client's query may ever come. */
  const tryAgain = (): void => {
    const admission = breaker.admit(true);
    if (admission !== REFUSED) observe(admission, probe()).catch(() => {});
  };
  let trial: NodeJS.Timeout | undefined;
  function tryLater(): void {
    trial ??= setTimeout(() => {
      trial = undefined;
      if (breaker.state === 'closed') return;
      tryAgain();
      tryLater();
    }, limits.pauseMs * OWN_TRIAL_PAUSES).unref();
  }

  return {
    post: (body, headers, options, isMutation) => {
      const admission = breaker.admit(!isMutation);
      if (admission === REFUSED) {
        tryAgain();
        events.onRefused();
        return Promise.reject(refusal);
      }
      const sent = isMutation
        ? connection.post(body, headers, options)
        : postQuery(body, headers, options);
      return observe(admission, sent);
    },
    state: () => breaker.state,
    stop: () => clearTimeout(trial),
  };
}

function retryPause(retry: number): number {
  return RETRY_PAUSE_MS * 2 ** retry * (0.5 + Math.random() / 2);
}
