import type { Logger } from '@gudang/runtime';
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';

/** Age at which the keys are fetched again in the background, in milliseconds. */
const REFRESH_MS = 10 * 60_000;
/** Minimum interval between fetches that are caused by tokens with an unknown key, in milliseconds. */
const COOLDOWN_MS = 30_000;
const FETCH_WITHIN_MS = 5_000;

/** The keys that verify tokens. They are tried in the order of this list. */
export type TokenKeys = readonly (Uint8Array | JWTVerifyGetKey)[];

/** Returns symmetric keys. @param secrets the current secret and, during a rotation, the previous secret */
export function secretKeys(secrets: readonly string[]): TokenKeys {
  return secrets.map((secret) => new TextEncoder().encode(secret));
}

/**
 * Returns the public keys that an issuer publishes. Fetched keys remain valid while the issuer is
 * unavailable. With the default options of jose, every token would instead be rejected during such an
 * outage as soon as the fetched keys are ten minutes old.
 */
export function publishedKeys(url: URL, log: Pick<Logger, 'warn'>): TokenKeys {
  const published = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_WITHIN_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  let triedAt = Number.NEGATIVE_INFINITY;
  const refresh = (): void => {
    const now = performance.now();
    // The first fetch is not started here, because jose itself fetches the keys when it verifies the
    // first token.
    const due = published.jwks() !== undefined && now - triedAt >= REFRESH_MS;
    if (published.jwks() === undefined) triedAt = now;
    if (!due) return;
    triedAt = now;
    published.reload().catch((error: unknown) => {
      log.warn(
        { err: error },
        'The issuer’s keys cannot be fetched; the keys fetched before remain in use. Retrying',
      );
    });
  };
  return [
    (header, token) => {
      refresh();
      return published(header, token);
    },
  ];
}
