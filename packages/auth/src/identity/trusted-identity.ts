import { createHash, timingSafeEqual } from 'node:crypto';
import { ANONYMOUS, decodeIdentity, type Identity, parseIdentity } from './identity.ts';

/** The headers in which the gateway says who asks, and proves that it is the gateway. */
export const IDENTITY_HEADER = 'gudang-identity';
export const SECRET_HEADER = 'gudang-secret';

/** What the gateway sends under `gudang`: in `connection_init`, and in a subscription's extensions. */
interface Sent {
  readonly gudang?: { readonly secret?: unknown; readonly identity?: unknown } | undefined;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Who asks, of those who proved to be the gateway; of all others nothing that they say is believed. */
export interface TrustedIdentity {
  /** Whether to answer at all: where secrets are set, the gateway alone. */
  readonly acceptsRequest: (headers: Headers) => boolean;
  readonly acceptsConnection: (connectionParams: unknown) => boolean;
  readonly ofRequest: (headers: Headers) => Identity;
  /** @param extensions of the operation's own message: one connection carries many identities */
  readonly ofOperation: (connectionParams: unknown, extensions: unknown) => Identity;
}

/**
 * @param secrets any of these proves the gateway; none: nobody is believed
 * @param untold who asks where nothing is said of it
 */
export function createTrustedIdentity(
  secrets: readonly string[] = [],
  untold: Identity = ANONYMOUS,
): TrustedIdentity {
  const digests = secrets.map(digest);
  const isGateway = (given: unknown): boolean => {
    if (typeof given !== 'string') return false;
    // Digests are of one length, and all are compared: the time taken tells nothing.
    const own = digest(given);
    return digests.map((one) => timingSafeEqual(one, own)).includes(true);
  };
  return {
    acceptsRequest: (headers) => digests.length === 0 || isGateway(headers[SECRET_HEADER]),
    acceptsConnection: (params) => digests.length === 0 || isGateway(sentIn(params)?.secret),
    ofRequest: (headers) => {
      const identity = headers[IDENTITY_HEADER];
      if (identity === undefined) return untold;
      if (typeof identity !== 'string' || !isGateway(headers[SECRET_HEADER])) return ANONYMOUS;
      return decodeIdentity(identity);
    },
    ofOperation: (connectionParams, extensions) => {
      const identity = sentIn(extensions)?.identity;
      if (identity === undefined) return untold;
      if (!isGateway(sentIn(connectionParams)?.secret)) return ANONYMOUS;
      return parseIdentity(identity);
    },
  };
}

function sentIn(value: unknown): Sent['gudang'] {
  const sent = (value as Sent | null | undefined)?.gudang;
  return typeof sent === 'object' && sent !== null ? sent : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
