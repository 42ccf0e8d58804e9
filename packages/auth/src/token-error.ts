import { ServiceError, unavailable } from '@gudang/runtime';
import { errors } from 'jose';

export const SUBJECT_RULE =
  'its subject must have 1 to 255 characters, without NUL or half a surrogate pair';

/** The reason for which an expired token is refused. */
export const EXPIRED = 'it has expired; get a fresh one';

const CLAIMS: Readonly<Record<string, string>> = {
  iss: 'it has another issuer',
  aud: 'it has another audience',
  nbf: 'it is not valid yet',
  exp: 'it has no expiry',
  sub: SUBJECT_RULE,
};

/** Returns the error for an invalid token. */
export function invalidToken(reason: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', `The token is invalid: ${reason}`);
}

/** Converts an error of the library jose to the error for the caller. */
export function toTokenError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTExpired) return invalidToken(EXPIRED);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalidToken(CLAIMS[error.claim] ?? 'a claim is invalid');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return invalidToken('its algorithm is not allowed');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalidToken('its signature is wrong');
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return invalidToken('the issuer does not publish its key');
  }
  if (isTokenMalformed(error)) return invalidToken('it is not a JSON web token');
  // All other errors occur when the issuer's keys are fetched.
  return unavailable('Tokens cannot be verified at the moment; try again', error);
}

function isTokenMalformed(error: unknown): boolean {
  return (
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JOSENotSupported
  );
}
