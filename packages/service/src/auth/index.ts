export { type Authentication, createAuthentication, NOBODY } from './authentication.ts';
export { createTickets, TICKET_S, type Tickets } from './tickets.ts';
export type { Caller, TokenCheck } from './verify-token.ts';
