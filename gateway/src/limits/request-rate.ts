import type { Identity } from '@gudang/auth';
import { callerKey, isLoopbackAddress, type Metrics } from '@gudang/runtime';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { RequestError } from '../errors/request-error.ts';

/** Rate limit for operations, per principal or, for anonymous callers, per address. */
export interface RequestRate {
  /**
   * Counts an operation. If it counts as more than a second's limit, it is accepted at the beginning of a
   * second, and the rest counts in the next seconds.
   * @param weight number of operations that it counts as; default: 1
   * @returns undefined when no limit applies
   * @throws {RequestError} 429 `RATE_LIMITED`, as a rejection of the promise
   */
  readonly take: (
    identity: Identity,
    address: string,
    weight?: number,
  ) => Promise<void> | undefined;
  /** Counts work that takes as long as several operations. @param share share of a second's limit */
  readonly charge: (identity: Pick<Identity, 'subject'>, address: string, share: number) => void;
}

/**
 * Creates the rate limiter for operations.
 * @param perSecond maximum number of operations per second of one principal or address
 */
export function createRequestRate(perSecond: number, metrics: Metrics): RequestRate {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  /** The most that counts at once. One operation less than the limit: a body in chunks counts after it. */
  const atOnce = Math.max(perSecond - 1, 1);
  const refused = metrics.counter(
    'gateway_rate_limited_total',
    'Operations rejected by the rate limit',
  );
  const consume = async (key: string, weight: number): Promise<void> => {
    try {
      await limiter.consume(key, Math.min(weight, atOnce));
    } catch (reason) {
      if (reason instanceof Error) throw reason;
      refused.inc();
      throw new RequestError(
        429,
        `More than ${perSecond.toLocaleString('en')} operations per second: send fewer`,
        { code: 'RATE_LIMITED', retryable: true, max: perSecond },
      );
    }
  };
  const charge = async (key: string, points: number): Promise<void> => {
    const { consumedPoints } = await limiter.penalty(key, points);
    // The rest counts in the next seconds.
    if (consumedPoints > perSecond) await limiter.block(key, consumedPoints / perSecond);
  };
  return {
    take: (identity, address, weight = 1) => {
      const key = keyOf(identity, address);
      if (key === undefined) return undefined;
      const consumed = consume(key, weight);
      return weight > atOnce ? consumed.then(() => charge(key, weight - atOnce)) : consumed;
    },
    charge: (identity, address, share) => {
      const key = keyOf(identity, address);
      const points = Math.round(share * perSecond);
      if (key !== undefined && points > 0) void charge(key, points);
    },
  };
}

function keyOf({ subject }: Pick<Identity, 'subject'>, address: string): string | undefined {
  const isExempt = subject === undefined && isLoopbackAddress(address);
  return isExempt ? undefined : callerKey(subject, address);
}
