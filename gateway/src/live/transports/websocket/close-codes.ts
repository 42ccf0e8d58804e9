/**
 * Codes with which the gateway closes a websocket, in addition to the protocol's own codes. The
 * client of graphql-ws, which Apollo's client uses, reconnects after each of these codes, but not
 * after 4400, 4401, 4409, 4429 and 4500.
 */
export const LiveCloseCode = {
  /** The gateway is stopping; the client should reconnect, if necessary to another instance. */
  goingAway: 1001,
  /** The client reads too slowly for a stream that must not drop events. */
  lagged: 4480,
  /** The token has expired; the client should reconnect with a fresh one. */
  tokenExpired: 4481,
  /** The token cannot be checked at the moment; the client should reconnect later. */
  tryAgainLater: 1013,
  /** No operation has run for too long; the client should reconnect when needed. */
  idle: 4482,
} as const;
