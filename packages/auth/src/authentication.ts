import type { Logger } from '@gudang/runtime';
import { ANONYMOUS, UNRESTRICTED } from './identity/identity.ts';
import { createRefusalLog } from './refusal-log.ts';
import type { AuthSettings } from './settings.ts';
import { invalidToken } from './token-error.ts';
import { publishedKeys, secretKeys } from './token-keys.ts';
import { createTokenVerifier, type Principal, type TokenCheck } from './verify-token.ts';

/** Authenticates the callers of a process. */
export interface Authentication {
  /** Whether authentication is enabled. If it is disabled, every caller has full access. */
  readonly on: boolean;
  /**
   * Returns the principal of a request; a promise only if the token must be verified first.
   * @param authorization `Bearer <token>` or the token alone; undefined or empty for an anonymous caller
   * @param around function that calls the verification of a token that is not cached. Default: the
   *   verification is called directly
   * @throws {ServiceError} UNAUTHENTICATED; UNAVAILABLE if the issuer's keys cannot be fetched
   */
  readonly authenticate: (
    authorization: string | undefined,
    around?: TokenCheck,
  ) => Principal | Promise<Principal>;
}

const FORMAT = 'send it as "Authorization: Bearer <token>"';

const UNRESTRICTED_PRINCIPAL: Principal = {
  identity: UNRESTRICTED,
  expiresAt: Number.POSITIVE_INFINITY,
};
export const ANONYMOUS_PRINCIPAL: Principal = {
  identity: ANONYMOUS,
  expiresAt: Number.POSITIVE_INFINITY,
};

/**
 * Creates the authentication of a process. It logs a message if authentication is disabled, and the
 * reasons for which tokens are refused.
 */
export function createAuthentication(
  settings: AuthSettings & { readonly HOST: string },
  log: Pick<Logger, 'info' | 'warn'>,
): Authentication {
  const keys = keysOf(settings, log);
  if (!keys) {
    const where = settings.AUTH === 'off' ? '' : ` from ${settings.HOST}`;
    log.info(
      `Authentication is disabled: every caller${where} has full access. Set JWT_JWKS_URL or JWT_SECRET to enable it`,
    );
    return { on: false, authenticate: () => UNRESTRICTED_PRINCIPAL };
  }
  const verify = createTokenVerifier(keys, {
    issuer: String(settings.JWT_ISSUER),
    audiences: settings.JWT_AUDIENCE ?? [],
    algorithms: algorithmsOf(settings),
    toleranceS: settings.JWT_CLOCK_TOLERANCE_S,
  });
  const recordRefusal = createRefusalLog(log);
  const refuse = (error: unknown): never => {
    recordRefusal(error);
    throw error;
  };
  return {
    on: true,
    authenticate: (authorization, around) => {
      if (authorization === undefined || authorization === '') return ANONYMOUS_PRINCIPAL;
      const token = /^(?:Bearer +)?([^\s]+)$/i.exec(authorization)?.[1];
      if (token === undefined) return refuse(invalidToken(FORMAT));
      try {
        const principal = verify(token, around);
        return principal instanceof Promise ? principal.catch(refuse) : principal;
      } catch (error) {
        return refuse(error);
      }
    },
  };
}

function keysOf({ JWT_JWKS_URL, JWT_SECRET }: AuthSettings, log: Pick<Logger, 'warn'>) {
  if (JWT_JWKS_URL !== undefined) return publishedKeys(new URL(JWT_JWKS_URL), log);
  return JWT_SECRET === undefined ? undefined : secretKeys(JWT_SECRET);
}

function algorithmsOf({ JWT_ALGORITHMS, JWT_JWKS_URL }: AuthSettings): readonly string[] {
  if (JWT_ALGORITHMS !== undefined) return JWT_ALGORITHMS;
  return JWT_JWKS_URL === undefined ? ['HS256'] : ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
}
