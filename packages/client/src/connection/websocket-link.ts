import { type Client, createClient } from 'graphql-ws/client';
import type { GraphQLErrorLike } from '../client-error.ts';
import { authorization } from '../tokens/authorization.ts';
import type { Link, OperationRequest, OperationSink } from './link.ts';

/** Time-out for the handshake and the acknowledgement, in ms. */
const CONNECT_MS = 10_000;
/** Time without a message after which the server is asked for a sign of life, in ms. */
const SILENCE_MS = 15_000;
/** Time-out for this sign of life, in ms. */
const ANSWER_MS = 10_000;
/** Time for which an unused connection stays open, in ms: a page that changes views does not reconnect. */
const LINGER_MS = 500;
/**
 * Time between an error and the end of the connection, in ms. Some implementations report a failed
 * handshake only as an error, without a close event.
 */
const CLOSE_EVENT_MS = 100;

const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
const TOKEN_EXPIRED = 4481;

type Socket = WebSocket & {
  /** Destroys the connection; only in the package `ws`. */
  terminate?(): void;
};

export interface WebSocketLinkOptions {
  readonly url: string;
  readonly webSocketImpl: typeof WebSocket;
  readonly token: string | null;
  /** Called once, before the sinks, when the connection is lost or was closed because it was unused. */
  readonly onEnd: () => void;
}

/** One websocket of graphql-transport-ws, for any number of operations. */
export class WebSocketLink implements Link {
  token: string | null;
  readonly #client: Client;
  readonly #onEnd: () => void;
  /** The operations that run, and the functions that stop them. */
  readonly #operations = new Map<OperationSink, () => void>();
  /** Set when the server has acknowledged the connection. */
  #socket: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasEnded = false;

  constructor({ url, webSocketImpl, token, onEnd }: WebSocketLinkOptions) {
    this.token = token;
    this.#onEnd = onEnd;
    let id = 0;
    class Guarded extends webSocketImpl {
      constructor(address: string, protocol: string) {
        super(address, protocol);
        // The package ws throws errors that nothing listens to, and graphql-ws stops listening.
        this.addEventListener('error', () => {});
      }
    }
    this.#client = createClient({
      url,
      webSocketImpl: Guarded,
      connectionParams: authorization(token),
      retryAttempts: 0,
      lazyCloseTimeout: LINGER_MS,
      generateID: () => `${++id}`,
      on: {
        connected: (socket) => this.#connected(socket as Socket),
        message: () => this.#expectWithin(SILENCE_MS, () => this.probe(ANSWER_MS)),
        closed: (event) => this.#end(event as CloseEvent),
        error: () => this.#expectWithin(CLOSE_EVENT_MS),
      },
    });
    this.#expectWithin(CONNECT_MS);
  }

  run(request: OperationRequest, sink: OperationSink): () => void {
    const stop = this.#client.subscribe(request, {
      next: (result) => {
        if (this.#operations.has(sink)) sink.next(result);
      },
      error: (errors) => {
        // Anything else concerns the connection, and is followed by its end.
        if (Array.isArray(errors) && this.#operations.delete(sink)) {
          sink.rejected(errors as readonly GraphQLErrorLike[]);
        }
      },
      complete: () => {
        if (this.#operations.delete(sink)) sink.complete();
      },
    });
    this.#operations.set(sink, stop);
    if (this.#socket) sink.opened();
    return () => {
      if (this.#operations.delete(sink)) stop();
    };
  }

  renew(token: string): void {
    this.token = token;
    this.#socket?.send(JSON.stringify({ type: 'ping', payload: authorization(token) }));
  }

  probe(within: number): void {
    if (!this.#socket) return;
    this.#socket.send('{"type":"ping"}');
    this.#expectWithin(within);
  }

  close(): void {
    this.#stopOperations();
    this.#end();
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    for (const sink of [...this.#operations.keys()]) sink.opened();
  }

  /** Ends the connection, or calls the function, unless a message arrives within this time, in ms. */
  #expectWithin(ms: number, otherwise = (): void => this.#end()): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = setTimeout(otherwise, ms);
  }

  #stopOperations(): OperationSink[] {
    const operations = [...this.#operations];
    this.#operations.clear();
    for (const [, stop] of operations) stop();
    return operations.map(([sink]) => sink);
  }

  /** @param event absent if this side ends the connection */
  #end(event?: CloseEvent): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    const sinks = this.#stopOperations();
    if (!event) {
      this.#client.terminate();
      this.#socket?.terminate?.();
    }
    const { code: status = 0, reason: detail } = event ?? {};
    const isExpired = status === TOKEN_EXPIRED;
    // The token that has expired may have been renewed just before.
    if (isExpired) this.token = null;
    this.#onEnd();
    const isRefused =
      isExpired || (!this.#socket && (status === UNAUTHORIZED || status === FORBIDDEN));
    for (const sink of sinks) sink.lost({ isRefused, detail, status });
  }
}
