/**
 * Codes with which the gateway closes a websocket, besides the protocol's own. graphql-ws's client,
 * and so Apollo's, reconnects after each of these; after 4400, 4401, 4409, 4429 and 4500 it does not.
 */
export const LiveCloseCode = {
  /** The gateway stops: reconnect, if necessary to another instance. */
  goingAway: 1001,
  /** The client reads too slowly for a stream that must not drop events. */
  lagged: 4480,
  /** The token has expired: reconnect with a fresh one. */
  tokenExpired: 4481,
  /** The token cannot be checked right now: reconnect later. */
  tryAgainLater: 1013,
  /** No operation has run for too long: reconnect when needed. */
  idle: 4482,
} as const;
