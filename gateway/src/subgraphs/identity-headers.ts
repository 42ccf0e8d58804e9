import {
  encodeIdentity,
  IDENTITY_HEADER,
  type Identity,
  isAnonymous,
  SECRET_HEADER,
} from '@gudang/service';

const NOTHING: Readonly<Record<string, string>> = {};

/** The headers that tell a subgraph who asks. @param secret proves that the gateway says it */
export function identityHeaders(
  identity: Identity,
  secret: string | undefined,
): Readonly<Record<string, string>> {
  if (isAnonymous(identity)) return NOTHING;
  const told = { [IDENTITY_HEADER]: encodeIdentity(identity) };
  return secret === undefined ? told : { ...told, [SECRET_HEADER]: secret };
}
