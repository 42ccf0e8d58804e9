import { ServiceError, unavailable } from '@gudang/runtime';
import { errors } from 'jose';

const CLAIMS: Readonly<Record<string, string>> = {
  iss: 'it is of another issuer',
  aud: 'it is meant for another audience',
  nbf: 'it is not valid yet',
  exp: 'it has no expiry',
  sub: 'it names no subject, or one of more than 255 characters',
};

/** A token that lets nobody in, and why. */
export function invalidToken(reason: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', `The token is refused: ${reason}`);
}

/** What a caller is told of a token that did not pass. @param error what jose threw */
export function toTokenError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof errors.JWTExpired) return invalidToken('it has expired; get a fresh one');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalidToken(CLAIMS[error.claim] ?? 'a claim is not as it should be');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return invalidToken('it is signed by an algorithm that is not allowed');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalidToken('its signature is not right');
  }
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return invalidToken('it names no key that the issuer publishes');
  }
  if (isOfTheToken(error)) return invalidToken('it is no JSON web token that can be read');
  // What is left came of fetching the issuer's keys.
  return unavailable('Tokens cannot be checked right now; try again', error);
}

function isOfTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JOSENotSupported
  );
}
