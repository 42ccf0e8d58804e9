import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Identity } from './identity/identity.ts';
import { invalidToken, toTokenError } from './token-error.ts';
import type { TokenKeys } from './token-keys.ts';

/** Tokens that are remembered as good until they expire: one takes 110 to 250 µs of CPU to check. */
const KEPT = 10_000;
/** Characters of all of these. */
const KEPT_CHARACTERS = 16 * 1024 * 1024;
/** The longest token that is read, in characters. */
const TOKEN_LIMIT = 8 * 1024;
/** A subject is kept with each order, in an index too. */
const SUBJECT_LIMIT = 255;

/** Who came, and until when that holds. */
export interface Principal {
  readonly identity: Identity;
  /** In milliseconds since 1970, the clock tolerance included; Infinity for whoever has no token. */
  readonly expiresAt: number;
}

export interface TokenRules {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** How far the issuer's clock may be from this one, in seconds. */
  readonly toleranceS: number;
}

/** Runs the check of a token that is not known, or refuses to: what it throws is thrown. */
export type TokenCheck = (check: () => Promise<Principal>) => Promise<Principal>;

/**
 * @param around each check of a token that is not known; it is run in any case unless told otherwise
 * @returns whoever a token is of: at once when it is known
 * @throws {ServiceError} UNAUTHENTICATED; UNAVAILABLE, when the issuer's keys cannot be fetched
 */
export type TokenVerifier = (token: string, around?: TokenCheck) => Principal | Promise<Principal>;

export function createTokenVerifier(
  keys: TokenKeys,
  { issuer, audiences, algorithms, toleranceS }: TokenRules,
): TokenVerifier {
  const known = new LRUCache<string, Principal>({
    max: KEPT,
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (_caller, token) => token.length,
  });
  const options: JWTVerifyOptions = {
    issuer,
    audience: [...audiences],
    algorithms: [...algorithms],
    clockTolerance: toleranceS,
    requiredClaims: ['exp', 'sub'],
  };

  const verify = async (token: string): Promise<Principal> => {
    try {
      const payload = await firstThatFits(keys, token, options);
      const expiresAt = (Number(payload.exp) + toleranceS) * 1000;
      const caller = {
        identity: { subject: subjectOf(payload), scopes: scopesOf(payload) },
        expiresAt,
      };
      known.set(token, caller);
      return caller;
    } catch (error) {
      throw toTokenError(error);
    }
  };

  return (token, around = (check) => check()) => {
    const caller = known.get(token);
    if (caller && caller.expiresAt > Date.now()) return caller;
    if (token.length > TOKEN_LIMIT)
      throw invalidToken(`it is longer than ${TOKEN_LIMIT} characters`);
    return around(() => verify(token));
  };
}

async function firstThatFits(
  keys: TokenKeys,
  token: string,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let wrong: unknown;
  for (const key of keys) {
    try {
      const { payload } =
        typeof key === 'function'
          ? await jwtVerify(token, key, options)
          : await jwtVerify(token, key, options);
      return payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      wrong = error;
    }
  }
  throw wrong;
}

function subjectOf({ sub }: JWTPayload): string {
  // NUL, which no database column takes.
  if (typeof sub === 'string' && /^[^\0]+$/.test(sub) && sub.length <= SUBJECT_LIMIT) return sub;
  throw invalidToken('it names no subject of 1 to 255 characters');
}

/** `scope` as RFC 9068 has it, a text with blanks between; `scp`, a list, as others do. */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  const scopes = [scope, scp].flatMap((claim) => {
    if (typeof claim === 'string') return claim.split(' ');
    return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : [];
  });
  return [...new Set(scopes.filter((one) => one !== ''))].sort();
}
