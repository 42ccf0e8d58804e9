import { createHash, timingSafeEqual } from 'node:crypto';
import { ANONYMOUS, decodeIdentity, type Identity, parseIdentity } from './identity.ts';

/** Headers with the caller's identity, and with the secret that proves that the gateway sent the request. */
export const IDENTITY_HEADER = 'gudang-identity';
export const SECRET_HEADER = 'gudang-secret';

/** The gateway's `gudang` value, in `connection_init` and in a subscription's extensions. */
interface GatewayMessage {
  readonly gudang?: { readonly secret?: unknown; readonly identity?: unknown } | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads the caller's identity from requests of the gateway. The identity in other requests is ignored. */
export interface TrustedIdentity {
  /** Whether a request is accepted: with secrets, only if it comes from the gateway. */
  readonly acceptsRequest: (headers: Headers) => boolean;
  readonly acceptsConnection: (connectionParams: unknown) => boolean;
  readonly identityOfRequest: (headers: Headers) => Identity;
  /** @param extensions extensions of the operation's message: a connection carries many identities */
  readonly identityOfOperation: (connectionParams: unknown, extensions: unknown) => Identity;
}

/**
 * @param secrets any of them proves that a request comes from the gateway. Without secrets, no sent
 *   identity is trusted
 * @param defaultIdentity the caller of requests without an identity
 */
export function createTrustedIdentity(
  secrets: readonly string[] = [],
  defaultIdentity: Identity = ANONYMOUS,
): TrustedIdentity {
  const digests = secrets.map(digest);
  const isGateway = (given: unknown): boolean => {
    if (typeof given !== 'string') return false;
    // All digests have the same length and all are compared, so the time reveals nothing about the secrets.
    const own = digest(given);
    return digests.map((one) => timingSafeEqual(one, own)).includes(true);
  };
  return {
    acceptsRequest: (headers) => digests.length === 0 || isGateway(headers[SECRET_HEADER]),
    acceptsConnection: (params) => digests.length === 0 || isGateway(gudangOf(params)?.secret),
    identityOfRequest: (headers) => {
      const identity = headers[IDENTITY_HEADER];
      if (identity === undefined) return defaultIdentity;
      if (typeof identity !== 'string' || !isGateway(headers[SECRET_HEADER])) return ANONYMOUS;
      return decodeIdentity(identity);
    },
    identityOfOperation: (connectionParams, extensions) => {
      const identity = gudangOf(extensions)?.identity;
      if (identity === undefined) return defaultIdentity;
      if (!isGateway(gudangOf(connectionParams)?.secret)) return ANONYMOUS;
      return parseIdentity(identity);
    },
  };
}

function gudangOf(value: unknown): GatewayMessage['gudang'] {
  const message = (value as GatewayMessage | null | undefined)?.gudang;
  return typeof message === 'object' && message !== null ? message : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
