import { ServiceError } from '@gudang/runtime';
import type { Identity } from './identity.ts';

/** The access that a field or a route requires. */
export interface Requirement {
  /**
   * Alternative lists of scopes: the caller needs every scope of at least one list. If undefined, any
   * authenticated caller has access.
   */
  readonly anyOf?: readonly (readonly string[])[] | undefined;
}

/** Whether the caller is authenticated, or authentication is disabled. */
export function isAuthenticated({ unrestricted, authenticated, subject }: Identity): boolean {
  return unrestricted === true || authenticated === true || subject !== undefined;
}

export function hasScope({ unrestricted, scopes }: Identity, scope: string): boolean {
  return unrestricted === true || scopes.includes(scope);
}

export function isAuthorized(identity: Identity, { anyOf }: Requirement): boolean {
  if (!isAuthenticated(identity)) return false;
  return !anyOf || anyOf.some((all) => all.every((scope) => hasScope(identity, scope)));
}

/** @throws {ServiceError} UNAUTHENTICATED for an anonymous caller, FORBIDDEN if a scope is missing */
export function assertAuthorized(identity: Identity, requirement: Requirement): void {
  if (!isAuthorized(identity, requirement)) throw accessError(identity, requirement);
}

/**
 * Returns the error for a caller without access.
 * @param what the name of the field, such as `Mutation.addStock`. Default: `This`
 */
export function accessError(
  identity: Identity,
  { anyOf }: Requirement,
  what = 'This',
): ServiceError {
  if (!isAuthenticated(identity)) {
    return new ServiceError(
      'UNAUTHENTICATED',
      `${what} needs a token: send one as "Authorization: Bearer <token>"`,
    );
  }
  const scopes = (anyOf ?? []).map((all) => all.join(' and ')).join(', or ');
  return new ServiceError('FORBIDDEN', `${what} needs a token with the scope ${scopes}`, {
    details: { scopes: anyOf },
  });
}
