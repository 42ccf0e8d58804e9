import type { Identity, TokenCheck } from '@gudang/auth';
import {
  callerKey,
  createClientAddress,
  isLoopbackAddress,
  type Metrics,
  ServiceError,
} from '@gudang/runtime';
import type { callerSettings, SettingsOf } from '@gudang/runtime/settings';
import type { FastifyRequest } from 'fastify';
import { RateLimiterMemory } from 'rate-limiter-flexible';

/**
 * Rate limit of the REST API: per principal or, for anonymous callers and invalid tokens, per address.
 * Loopback addresses have no limit.
 */
export interface RestRate {
  /** Wraps the check of a token that is not cached. An invalid token counts for the request's address. */
  readonly checkTokens: (request: FastifyRequest) => TokenCheck | undefined;
  /**
   * Counts a request. @returns undefined when no limit applies
   * @throws {ServiceError} RATE_LIMITED, as a rejection of the promise
   */
  readonly take: (request: FastifyRequest, identity: Identity) => Promise<void> | undefined;
}

/** Creates the rate limit of one process. It counts in memory, so N processes allow N times as much. */
export function createRestRate(
  { LIMIT_REQUESTS: perSecond, TRUSTED_PROXIES }: SettingsOf<typeof callerSettings>,
  metrics: Metrics,
): RestRate {
  const addresses = createClientAddress(TRUSTED_PROXIES);
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refused = metrics.counter(
    'gudang_rest_rate_limited_total',
    'REST requests rejected by the rate limit',
  );
  const consume = async (key: string): Promise<void> => {
    try {
      await limiter.consume(key);
    } catch (reason) {
      if (reason instanceof Error) throw reason;
      refused.inc();
      const most = perSecond.toLocaleString('en');
      throw new ServiceError('RATE_LIMITED', `More than ${most} requests per second: send fewer`, {
        retryable: true,
      });
    }
  };
  return {
    checkTokens: ({ raw }) => {
      const address = addresses.of(raw);
      if (isLoopbackAddress(address)) return undefined;
      const key = callerKey(undefined, address);
      return async (check) => {
        await consume(key);
        const principal = await check();
        await limiter.reward(key);
        return principal;
      };
    },
    take: ({ raw }, { subject }) => {
      const address = addresses.of(raw);
      if (subject === undefined && isLoopbackAddress(address)) return undefined;
      return consume(callerKey(subject, address));
    },
  };
}
