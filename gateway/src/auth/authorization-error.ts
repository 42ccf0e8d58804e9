import { accessError, type Identity, isAuthorized } from '@gudang/auth';
import { GraphQLError } from 'graphql';
import type { FieldRequirement } from './field-requirements.ts';

/**
 * Why somebody may not run an operation, which is then refused as a whole: UNAUTHENTICATED without a
 * token, FORBIDDEN with one that lacks scopes. Undefined: they may.
 */
export function authorizationError(
  requirements: readonly FieldRequirement[],
  identity: Identity,
): GraphQLError | undefined {
  if (identity.unrestricted || requirements.length === 0) return undefined;
  const unmet = requirements.filter((one) => !isAuthorized(identity, one));
  const [first] = unmet;
  if (!first) return undefined;
  const originalError = accessError(identity, first, first.coordinate);
  const fields = [...new Set(unmet.map(({ coordinate }) => coordinate))];
  return new GraphQLError(originalError.message, {
    originalError,
    extensions: { ...originalError.extensions, fields },
  });
}
