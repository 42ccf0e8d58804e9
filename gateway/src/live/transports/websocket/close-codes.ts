/**
 * Why the gateway closes a websocket, beside the protocol's own codes. graphql-ws's client, and so
 * Apollo's, connects again after each of these; after 4400, 4401, 4409, 4429 and 4500 it does not.
 */
export const LiveCloseCode = {
  /** The gateway stops: connect again, elsewhere if need be. */
  goingAway: 1001,
  /** The client is too slow for a stream that may leave nothing out. */
  lagged: 4480,
  /** The token that the client came with is no longer good: connect with a fresh one. */
  tokenExpired: 4481,
  /** Whether the client may come in cannot be told right now. */
  tryAgainLater: 1013,
  /** Nothing has run for too long: connect again when there is something to ask. */
  idle: 4482,
} as const;
