import type { Logger } from '@gudang/runtime';
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';

/** How old fetched keys may grow before they are fetched again beside the work, in milliseconds. */
const REFRESH_MS = 10 * 60_000;
/** A token of an unknown key makes them be fetched again, but not more often than this. */
const COOLDOWN_MS = 30_000;
const FETCH_WITHIN_MS = 5_000;

/** Where the key of a token comes from; several are tried in their order. */
export type TokenKeys = readonly (Uint8Array | JWTVerifyGetKey)[];

/** Keys that sign and verify alike. @param secrets the second is an older one, while it is changed */
export function secretKeys(secrets: readonly string[]): TokenKeys {
  return secrets.map((secret) => new TextEncoder().encode(secret));
}

/**
 * The public keys that an issuer publishes. Those that were fetched serve on while the issuer is
 * away: jose alone would refuse every token once they are ten minutes old.
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
    // The first fetch is of the token that needs it.
    const due = published.jwks() !== undefined && now - triedAt >= REFRESH_MS;
    if (published.jwks() === undefined) triedAt = now;
    if (!due) return;
    triedAt = now;
    published.reload().catch((error: unknown) => {
      log.warn(
        { err: error },
        'the keys of tokens cannot be fetched again: the known ones serve on',
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
