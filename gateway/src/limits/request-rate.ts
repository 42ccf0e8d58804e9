import type { Identity } from '@gudang/auth';
import type { Metrics } from '@gudang/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RequestError } from '../errors/request-error.ts';
import { isLoopback } from './client-address.ts';

/** How often one user, or one address of users who are not known, may ask. */
export interface RequestRate {
  /**
   * Counts an operation; undefined where there is nothing to wait for.
   * @throws {RequestError} by the promise
   */
  readonly take: (identity: Identity, address: string) => Promise<void> | undefined;
}

/** @param perSecond operations of one a second */
export function createRequestRate(perSecond: number, metrics: Metrics): RequestRate {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refused = metrics.counter(
    'gateway_rate_limited_total',
    'Operations that were refused since their sender asks too often',
  );
  const consume = async (key: string): Promise<void> => {
    try {
      await limiter.consume(key);
    } catch (reason) {
      if (reason instanceof Error) throw reason;
      refused.inc();
      throw new RequestError(
        429,
        `More than ${perSecond.toLocaleString('en')} operations a second: ask less often`,
        { code: 'RATE_LIMITED', retryable: true, max: perSecond },
      );
    }
  };
  return {
    take: ({ subject }, address) => {
      if (subject !== undefined) return consume(`subject ${subject}`);
      return isLoopback(address) ? undefined : consume(`address ${address}`);
    },
  };
}
