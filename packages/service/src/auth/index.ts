export { type Authentication, createAuthentication, NOBODY } from './authentication.ts';
export { refusedToken } from './token-refusal.ts';
export type { Caller } from './verify-token.ts';
