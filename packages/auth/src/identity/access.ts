import { ServiceError } from '@gudang/runtime';
import type { Identity } from './identity.ts';

/** What a field or a route asks of whoever wants it. */
export interface Requirement {
  /** Any of these sets of scopes, all of the set; none at all: whoever has shown a token. */
  readonly anyOf?: readonly (readonly string[])[] | undefined;
}

/** Whether somebody has shown who they are, or need not. */
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

/** @throws {ServiceError} UNAUTHENTICATED for nobody, FORBIDDEN for whoever lacks scopes */
export function assertAuthorized(identity: Identity, requirement: Requirement): void {
  if (!isAuthorized(identity, requirement)) throw accessError(identity, requirement);
}

/** @param what is wanted, such as `Mutation.addStock`, where the message is to name it */
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
