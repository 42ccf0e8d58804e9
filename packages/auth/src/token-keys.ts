import type { Logger } from '@gudang/runtime';
import {
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';

/** Age at which the keys are fetched again in the background, in milliseconds. */
const REFRESH_MS = 10 * 60_000;
/** Minimum interval between fetches that are caused by tokens with an unknown key, in milliseconds. */
const COOLDOWN_MS = 30_000;
/** Interval between log lines while no keys have been fetched, in milliseconds. */
const REMINDER_MS = 30_000;
/** Time-out of a fetch, including its body, in milliseconds. */
const FETCH_WITHIN_MS = 5_000;
/** Maximum size of the fetched keys after decompression, in bytes. A key with a certificate has a few KB. */
const KEYS_SIZE_LIMIT = 256 * 1024;
/** Maximum number of fetched keys. Each token is compared with all of them. */
const KEYS_LIMIT = 100;

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
    [customFetch]: fetchKeys,
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
  let reportedAt = Number.NEGATIVE_INFINITY;
  const reportMissing = (error: unknown): void => {
    const now = performance.now();
    if (now - reportedAt < REMINDER_MS) return;
    reportedAt = now;
    log.warn(
      { err: error },
      'The issuer’s keys cannot be fetched, so no token can be verified. Each token is a new attempt',
    );
  };
  return [
    async (header, token) => {
      refresh();
      try {
        return await published(header, token);
      } catch (error) {
        if (published.jwks() === undefined) reportMissing(error);
        throw error;
      }
    },
  ];
}

/**
 * Fetches keys within their limits. jose follows no redirects, and aborts the signal at the time-out.
 * @throws if there are too many bytes or keys
 */
const fetchKeys: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status !== 200) {
    await response.body?.cancel();
    return response;
  }
  const keys: unknown = JSON.parse(await readText(response));
  const list = (keys as { keys?: unknown } | null)?.keys;
  if (Array.isArray(list) && list.length > KEYS_LIMIT) {
    throw new Error(`The issuer publishes more than ${KEYS_LIMIT} keys`);
  }
  return Response.json(keys);
};

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > KEYS_SIZE_LIMIT) {
      throw new Error(`The issuer's keys have more than ${KEYS_SIZE_LIMIT / 1024} KiB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
