export { type Authentication, createAuthentication, NOBODY } from './authentication.ts';
export {
  accessRefused,
  demand,
  hasScope,
  isKnown,
  meets,
  type Requirement,
} from './identity/access.ts';
export {
  createBelievedIdentity,
  IDENTITY_HEADER,
  SECRET_HEADER,
} from './identity/believed-identity.ts';
export { ANONYMOUS, encodeIdentity, type Identity, UNRESTRICTED } from './identity/identity.ts';
export { createTickets, TICKET_S, type Tickets } from './tickets.ts';
export type { Caller, TokenCheck } from './verify-token.ts';
