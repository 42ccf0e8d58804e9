/** Tokens and their issuer, for tests of every package. */
export * from './sign-token.ts';
