import type { GraphQLErrorLike } from '../client-error.ts';

/** The request of a subscription, sent with each attempt. */
export interface OperationRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly extensions: {
    readonly live: { readonly after?: string | undefined; readonly positions: true };
  };
}

/** A GraphQL result, as the server sends it. */
export interface OperationResult {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[] | undefined;
  readonly extensions?: unknown;
}

/** Receives an operation. After `rejected`, `complete` and `lost`, and after it was stopped, nothing is called. */
export interface OperationSink {
  /** The connection is open, and the operation was sent. */
  opened(): void;
  next(result: OperationResult): void;
  /** The server does not execute the operation, or has ended it with errors. */
  rejected(errors: readonly GraphQLErrorLike[]): void;
  complete(): void;
  lost(loss: Loss): void;
}

/** Why a connection has ended. */
export interface Loss {
  /** Whether the server has refused the token, or the token has expired. */
  readonly isRefused: boolean;
  /** The server's reason. */
  readonly detail?: string | undefined;
  /** Close code or HTTP status. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
  /** Time for which the server asks the client to wait, in ms. */
  readonly retryAfter?: number | undefined;
}

/** A connection of one attempt. It is used until it is lost or closed, and then replaced. */
export interface Link {
  /** The token that the server has last received. */
  readonly token: string | null;
  /** Starts an operation; the first one opens the connection. @returns a function that stops it */
  run(request: OperationRequest, sink: OperationSink): () => void;
  /** Sends another token of the same caller. If it is absent, operations must be started again. */
  renew?(token: string): void;
  /** Loses the connection if the server gives no sign of life within this time, in ms. */
  probe(within: number): void;
  /** Stops everything; no sink is called. */
  close(): void;
}
