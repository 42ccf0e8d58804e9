import { createHash, timingSafeEqual } from 'node:crypto';
import { ANONYMOUS, decodeIdentity, type Identity, parseIdentity } from './identity.ts';

/**
 * The header with the caller's identity, and the header with the secret that proves that the gateway sent
 * the request.
 */
export const IDENTITY_HEADER = 'gudang-identity';
export const SECRET_HEADER = 'gudang-secret';

/** The `gudang` value that the gateway sends in `connection_init` and in a subscription's extensions. */
interface GatewayMessage {
  readonly gudang?: { readonly secret?: unknown; readonly identity?: unknown } | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Reads the caller's identity from the gateway's requests. The identity in other requests is ignored. */
export interface TrustedIdentity {
  /** Whether a request is accepted. If secrets are configured, only the gateway's requests are accepted. */
  readonly acceptsRequest: (headers: Headers) => boolean;
  readonly acceptsConnection: (connectionParams: unknown) => boolean;
  readonly identityOfRequest: (headers: Headers) => Identity;
  /**
   * @param extensions the extensions of the operation's message, which contain the identity because
   * operations of several callers share a connection
   */
  readonly identityOfOperation: (connectionParams: unknown, extensions: unknown) => Identity;
}

/**
 * @param secrets the valid secrets: a request with one of them comes from the gateway. If there are no
 *   secrets, no sent identity is trusted
 * @param defaultIdentity the identity for requests that contain none
 */
export function createTrustedIdentity(
  secrets: readonly string[] = [],
  defaultIdentity: Identity = ANONYMOUS,
): TrustedIdentity {
  const digests = secrets.map(digest);
  const isGateway = (given: unknown): boolean => {
    if (typeof given !== 'string') return false;
    // All digests have the same length, and all of them are compared, so the duration reveals nothing
    // about the secrets.
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
