export {
  ANONYMOUS_PRINCIPAL,
  type Authentication,
  createAuthentication,
} from './authentication.ts';
export {
  accessError,
  assertAuthorized,
  hasScope,
  isAuthenticated,
  isAuthorized,
  type Requirement,
} from './identity/access.ts';
export { ANONYMOUS, encodeIdentity, type Identity, UNRESTRICTED } from './identity/identity.ts';
export {
  createTrustedIdentity,
  IDENTITY_HEADER,
  SECRET_HEADER,
} from './identity/trusted-identity.ts';
export { createTickets, TICKET_S, type Tickets } from './tickets.ts';
export type { Principal, TokenCheck } from './verify-token.ts';
