import { encodeIdentity, IDENTITY_HEADER, type Identity, SECRET_HEADER } from '@gudang/auth';

const NOTHING: Readonly<Record<string, string>> = {};

/** The headers that prove to a subgraph that the gateway asks; nothing without a secret. */
export function secretHeaders(secret: string | undefined): Readonly<Record<string, string>> {
  return secret === undefined ? NOTHING : { [SECRET_HEADER]: secret };
}

/** The headers that tell a subgraph who asks; nothing where nobody is told apart. */
export function identityHeaders(identity: Identity): Readonly<Record<string, string>> {
  return identity.unrestricted ? NOTHING : { [IDENTITY_HEADER]: encodeIdentity(identity) };
}
