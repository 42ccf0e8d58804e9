export {
  AUDIENCE,
  ISSUER,
  signToken,
  startIssuer,
  TOKEN_SETTINGS,
  unsignedToken,
} from './sign-token.ts';
