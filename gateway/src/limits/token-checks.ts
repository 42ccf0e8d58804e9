import type { TokenCheck } from '@gudang/auth';
import { isLoopbackAddress, type Metrics } from '@gudang/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RequestError } from '../errors/request-error.ts';

/** Rate limit for invalid tokens, per address. */
export interface TokenChecks {
  /** Returns the function that wraps each check of a token from this address. */
  readonly of: (address: string) => TokenCheck;
}

const unlimited: TokenCheck = (check) => check();

/**
 * Creates the rate limiter for invalid tokens. A request with an invalid token has no principal, so
 * it is rejected before the rate limit for operations applies. Without a separate limit, each
 * request of a flood would therefore cost a signature check.
 * @param perSecond maximum number of invalid tokens per second from one address
 */
export function createTokenChecks(perSecond: number, metrics: Metrics): TokenChecks {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refused = metrics.counter(
    'gateway_unchecked_tokens_total',
    'Tokens rejected unchecked because their address sent too many invalid ones',
  );
  return {
    of: (address) =>
      isLoopbackAddress(address)
        ? unlimited
        : async (check) => {
            try {
              await limiter.consume(address);
            } catch (reason) {
              if (reason instanceof Error) throw reason;
              refused.inc();
              throw new RequestError(
                429,
                `More than ${perSecond.toLocaleString('en')} invalid tokens per second from this address: try again later`,
                { code: 'RATE_LIMITED', retryable: true, max: perSecond },
              );
            }
            const found = await check();
            await limiter.reward(address);
            return found;
          },
  };
}
