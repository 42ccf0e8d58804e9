import type { TokenCheck } from '@gudang/auth';
import type { Metrics } from '@gudang/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RequestError } from '../errors/request-error.ts';
import { isLoopback } from './client-address.ts';

/** How many tokens that are no good an address may show before its unknown ones are not looked at. */
export interface TokenChecks {
  /** Stands before each check of a token of this address. */
  readonly of: (address: string) => TokenCheck;
}

const unlimited: TokenCheck = (check) => check();

/**
 * Whoever shows a bad token has no subject to count by, and is refused before any operation is
 * counted: without this, checking signatures would be what a flood of them costs.
 * @param perSecond of one address
 */
export function createTokenChecks(perSecond: number, metrics: Metrics): TokenChecks {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refused = metrics.counter(
    'gateway_unchecked_tokens_total',
    'Tokens that were not looked at since their address has shown too many bad ones',
  );
  return {
    of: (address) =>
      isLoopback(address)
        ? unlimited
        : async (check) => {
            try {
              await limiter.consume(address);
            } catch (reason) {
              if (reason instanceof Error) throw reason;
              refused.inc();
              throw new RequestError(
                429,
                `More than ${perSecond.toLocaleString('en')} bad tokens a second from this address: try again later`,
                { code: 'RATE_LIMITED', retryable: true, max: perSecond },
              );
            }
            const found = await check();
            await limiter.reward(address);
            return found;
          },
  };
}
