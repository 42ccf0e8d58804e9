import type { ClientError } from './client-error.ts';
import type { LiveDocument, Variables } from './document.ts';
import type { LiveEvent } from './live-event.ts';

/**
 * - `connecting`: a connection is being opened, for the first time or again after a loss.
 * - `catching-up`: connected; the changes since the last cursor are being received.
 * - `live`: connected; changes arrive as they happen.
 * - `offline`: the last attempt to connect has failed, or the device is offline. The client retries.
 * - `refused`: the server refuses the token. The client asks `token` again, at the latest every 30 s.
 */
export type ConnectionState = 'connecting' | 'catching-up' | 'live' | 'offline' | 'refused';

/** @param reason why the state is `offline` or `refused`; otherwise null */
export type StateListener = (state: ConnectionState, reason: ClientError | null) => void;

/**
 * Why the client asks for a token.
 * - `connect`: for a request or a connection.
 * - `expiring`: the current token expires soon.
 * - `refused`: the server has refused the last token, or it has expired. Do not return it again.
 */
export type TokenReason = 'connect' | 'expiring' | 'refused';

export interface LiveClientOptions {
  /** Address of the graph, such as `https://shop.example/graphql`. In browsers it may be a path. */
  readonly url: string;
  /** Address for websockets. Default: `url` with `ws:` or `wss:`. */
  readonly webSocketUrl?: string | undefined;
  /**
   * Returns the caller's JSON Web Token, without `Bearer`; null for an anonymous caller. It is called
   * for each request and each connection, and before the token of a connection expires, so it should
   * cache. If it throws, a query fails, and a subscription retries.
   */
  readonly token?: ((reason: TokenReason) => MaybePromise<string | null | undefined>) | undefined;
  /**
   * - `auto` (default): a websocket; server-sent events where there is no WebSocket, or where
   *   websockets fail and HTTP does not, as behind some proxies.
   * - `websocket`: one websocket for all subscriptions, also if it fails; server-sent events only where
   *   there is no WebSocket.
   * - `sse`: server-sent events, one HTTP response for each subscription.
   */
  readonly transport?: 'auto' | 'websocket' | 'sse' | undefined;
  /** Default: the global `WebSocket`. Node 20 has none: pass the one of the package `ws`. */
  readonly webSocketImpl?: unknown;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Further headers of HTTP requests, server-sent events included. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Time before the expiry of a token at which a new one is requested, in ms. Default: 30,000. */
  readonly refreshTokenBefore?: number | undefined;
  /** Time-out of a query or mutation, in ms. Default: 30,000. */
  readonly queryTimeout?: number | undefined;
  /** Longest pause between attempts to connect, in ms. Default: 30,000. */
  readonly maxRetryDelay?: number | undefined;
  /**
   * Number of events that may wait for the consumer of an iterable subscription. Beyond it, the
   * subscription is closed, and resumed when the consumer has read them. Default: 1,000.
   */
  readonly maxQueuedEvents?: number | undefined;
}

export type MaybePromise<T> = T | Promise<T>;

export interface QueryOptions {
  /** Aborts the request; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Further headers of this request, such as `Idempotency-Key`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface SubscribeOptions {
  /** Cursor after which the stream begins. Default: the stream begins now. */
  readonly after?: string | null | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}

export interface SubscribeHandlers<TData> extends SubscribeOptions {
  /** Called for each event and snapshot marker, in order. */
  readonly next: (event: LiveEvent<TData>) => void;
  /** Called at most once, when the server rejects the operation. The subscription has ended. */
  readonly error?: ((error: ClientError) => void) | undefined;
  /** Called at most once, when the server has ended the stream. Not called after `unsubscribe`. */
  readonly complete?: (() => void) | undefined;
  /** Called when the state of this subscription changes, and first with the present state. */
  readonly state?: StateListener | undefined;
}

/** Ends a subscription. No handler is called afterwards. */
export type Unsubscribe = () => void;

/** A client of one graph. It connects with the first subscription, and disconnects after the last. */
export interface LiveClient {
  /**
   * Sends a query or mutation by HTTP POST.
   * @throws {ClientError} if the response has errors, or if there is no response
   */
  query<TData = unknown, TVariables extends Variables = Variables>(
    document: LiveDocument<TData, TVariables>,
    variables?: TVariables | null,
    options?: QueryOptions,
  ): Promise<TData>;

  /**
   * Subscribes, and resumes after every loss of the connection from the last event, indefinitely.
   * @returns an iterable of one use. Its iteration ends when the server ends the stream, throws a
   * `ClientError` when the server rejects the operation, and unsubscribes when the loop is left. Nothing
   * is sent before the iteration begins.
   */
  subscribe<TData = unknown, TVariables extends Variables = Variables>(
    document: LiveDocument<TData, TVariables>,
    variables?: TVariables | null,
    options?: SubscribeOptions & { readonly next?: undefined },
  ): AsyncIterableIterator<LiveEvent<TData>>;
  /** Subscribes with callbacks, starting at once. */
  subscribe<TData = unknown, TVariables extends Variables = Variables>(
    document: LiveDocument<TData, TVariables>,
    variables: TVariables | null | undefined,
    handlers: SubscribeHandlers<TData>,
  ): Unsubscribe;

  /** The state of the subscription that is the furthest from `live`; `connecting` without any. */
  readonly state: ConnectionState;
  /** Why the state is `offline` or `refused`; otherwise null. */
  readonly stateReason: ClientError | null;
  /** Calls the listener when the state changes. @returns a function that removes the listener */
  onState(listener: StateListener): () => void;

  /**
   * The subject and scopes of the token that was sent last, as an opaque text; empty for an anonymous
   * caller. What was loaded with another identity may not be what the present caller may see.
   */
  readonly identity: string;
  /** Calls the listener when the identity changes. @returns a function that removes the listener */
  onIdentity(listener: (identity: string) => void): () => void;

  /**
   * Connects again at once, with a token that is requested now, for example after a sign-in or sign-out.
   * Subscriptions resume, and lists of another caller are loaded anew.
   */
  reconnect(): void;

  /** Ends all subscriptions with the error `CLOSED`. Nothing can be sent afterwards. */
  close(): void;
}
