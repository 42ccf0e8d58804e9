import { createBackoff, type Logger, pause, type Stoppable } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import { UpstreamSocket } from './upstream-socket.ts';

/** Time for which an unused connection stays open for the next stream, in milliseconds. */
const LINGER_MS = 2_000;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
const ACK_WITHIN_MS = 5_000;
/** Time after which a new connection counts as restored, in milliseconds. */
const SETTLED_MS = 1_000;

/** A subscription as the gateway sends it to a subgraph. */
export interface UpstreamRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  /**
   * Called for the first subscription and again for each resubscription after a lost connection.
   */
  readonly variables: () => Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Receives the events of one upstream stream. `error` and `complete` each end the stream. */
export interface UpstreamSink {
  /** @param reportsPositions whether the subgraph sends position reports */
  readonly next: (event: FormattedExecutionResult, reportsPositions: boolean) => void;
  /**
   * Receives a position report: all events before the cursor have been sent. `null`: the stream has
   * no position until the next report.
   */
  readonly position: (cursor: string | null) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
}

interface LinkOptions {
  /** The subgraph's name. */
  readonly name: string;
  readonly wsUrl: string;
  /** The payload of `connection_init`. */
  readonly params: Record<string, unknown>;
  /**
   * Time that a stream waits for its subgraph before it fails with UNAVAILABLE, in milliseconds.
   */
  readonly reconnectLimitMs: number;
  readonly log: Logger;
  /** Called when the last stream has been closed. */
  readonly onUnused: () => void;
}

/**
 * States of the connection to a subgraph. graphql-ws opens the connection for the first stream,
 * reopens it after an exponential back-off with jitter, and resubscribes every stream on the new
 * connection.
 *
 * - `disconnected`: the connection is not needed yet, was closed after 2 s without streams, or was
 *   lost. Each open stream has a deadline. → `unsettled` when the subgraph acknowledges a
 *   connection.
 * - `unsettled`: the connection has been open for less than 1 s and has carried no event. Deadlines
 *   and back-off continue, because a connection that breaks at once does not count as restored.
 *   → `settled` after 1 s or at the first event. → `disconnected` when the connection is lost.
 * - `settled`: the streams have no deadlines, and the back-off is reset. → `disconnected` when the
 *   connection is lost.
 * - `stopped`: final. Every stream is closed.
 */
type LinkState = 'disconnected' | 'unsettled' | 'settled' | 'stopped';

/** One graphql-transport-ws connection to a subgraph, shared by several streams. */
export class SubgraphLink implements Stoppable {
  readonly #options: LinkOptions;
  readonly #client: Client;
  readonly #streams = new Set<LinkedStream>();
  readonly #byId = new Map<string, LinkedStream>();
  readonly #backoff = createBackoff(100, 5_000);
  readonly #stopping = new AbortController();
  #state: LinkState = 'disconnected';
  #lastId = 0;
  #reportsPositions = false;
  #settling: NodeJS.Timeout | undefined;
  #pong: NodeJS.Timeout | undefined;
  #refused: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#client = createClient({
      url: options.wsUrl,
      connectionParams: options.params,
      generateID: () => {
        this.#lastId += 1;
        return String(this.#lastId);
      },
      webSocketImpl: UpstreamSocket,
      lazyCloseTimeout: LINGER_MS,
      connectionAckWaitTimeout: ACK_WITHIN_MS,
      keepAlive: PING_EVERY_MS,
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => this.#state !== 'stopped',
      retryWait: () => pause(this.#backoff.next(), this.#stopping.signal),
      on: {
        connected: () => this.#connected(),
        closed: () => this.#lost(),
        error: () => this.#lost(),
        ping: (received, payload) => {
          if (received) this.#reportPositions(payload?.['cursors']);
          else this.#pong = setTimeout(() => this.#client.terminate(), PONG_WITHIN_MS);
        },
        pong: (received) => {
          if (received) clearTimeout(this.#pong);
        },
      },
    });
  }

  /** Number of streams, including those that wait for the subgraph. */
  get size(): number {
    return this.#streams.size;
  }

  /** Opens a stream. @returns a function that closes it; the sink receives nothing afterwards */
  subscribe(request: UpstreamRequest, sink: UpstreamSink): () => void {
    const stream = new LinkedStream({
      sink,
      subgraph: this.#options.name,
      reconnectLimitMs: this.#options.reconnectLimitMs,
      onClosed: () => this.#closed(stream),
    });
    this.#streams.add(stream);
    if (this.#state === 'disconnected') stream.waitForConnection();
    this.#send(stream, payloadOf(request));
    return () => stream.close();
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#stopping.abort();
    for (const stream of [...this.#streams]) stream.close();
    clearTimeout(this.#settling);
    clearTimeout(this.#pong);
    const disposed = Promise.resolve(this.#client.dispose());
    this.#client.terminate();
    await disposed.catch(() => {});
  }

  #connected(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'unsettled';
    this.#settling = setTimeout(() => this.#settle(), SETTLED_MS);
  }

  #settle(): void {
    this.#state = 'settled';
    clearTimeout(this.#settling);
    this.#backoff.reset();
    for (const stream of this.#streams) stream.connected();
  }

  #lost(): void {
    clearTimeout(this.#settling);
    clearTimeout(this.#pong);
    if (this.#state === 'stopped') return;
    if (this.#state !== 'disconnected' && this.#streams.size > 0) {
      this.#options.log.warn(
        { subgraph: this.#options.name, streams: this.#streams.size },
        'the live connection to a subgraph is lost; the gateway reconnects and resumes its streams',
      );
    }
    this.#state = 'disconnected';
    for (const stream of this.#streams) stream.waitForConnection();
  }

  #reportPositions(cursors: unknown): void {
    if (typeof cursors !== 'object' || cursors === null) return;
    this.#reportsPositions = true;
    for (const [id, cursor] of Object.entries(cursors)) {
      if (typeof cursor === 'string' || cursor === null) this.#byId.get(id)?.sink.position(cursor);
    }
  }

  #send(stream: LinkedStream, payload: SubscribePayload): void {
    this.#byId.delete(stream.id);
    stream.id = String(this.#lastId + 1);
    this.#byId.set(stream.id, stream);
    stream.unsubscribe = this.#client.subscribe(payload, {
      next: (event) => {
        if (stream.isClosed) return;
        if (this.#state === 'unsettled') this.#settle();
        stream.sink.next(event as FormattedExecutionResult, this.#reportsPositions);
      },
      error: (reason) => {
        if (stream.isClosed) return;
        if (Array.isArray(reason)) stream.fail(reason as GraphQLFormattedError[]);
        else void this.#sendAgain(stream, payload, reason);
      },
      complete: () => {
        if (stream.isClosed) return;
        stream.close();
        stream.sink.complete();
      },
    });
  }

  /**
   * Resubscribes after a close code at which graphql-ws itself does not retry, such as 4500 or
   * 1011.
   */
  async #sendAgain(
    stream: LinkedStream,
    payload: SubscribePayload,
    reason: unknown,
  ): Promise<void> {
    this.#options.log.debug(
      { subgraph: this.#options.name, err: reason },
      'a subgraph refused the live connection; the gateway retries',
    );
    stream.waitForConnection();
    // All streams of the connection share one wait, because each separate wait would double the
    // back-off.
    this.#refused ??= pause(this.#backoff.next(), this.#stopping.signal).finally(() => {
      this.#refused = undefined;
    });
    await this.#refused;
    if (!stream.isClosed) this.#send(stream, payload);
  }

  #closed(stream: LinkedStream): void {
    this.#streams.delete(stream);
    this.#byId.delete(stream.id);
    if (this.#streams.size === 0 && this.#state !== 'stopped') this.#options.onUnused();
  }
}

/** One stream of a link, from its subscription to its end. */
class LinkedStream {
  readonly sink: UpstreamSink;
  readonly #subgraph: string;
  readonly #reconnectLimitMs: number;
  readonly #onClosed: () => void;
  #deadline: NodeJS.Timeout | undefined;
  isClosed = false;
  id = '';
  unsubscribe = (): void => {};

  constructor(options: {
    readonly sink: UpstreamSink;
    readonly subgraph: string;
    readonly reconnectLimitMs: number;
    readonly onClosed: () => void;
  }) {
    this.sink = options.sink;
    this.#subgraph = options.subgraph;
    this.#reconnectLimitMs = options.reconnectLimitMs;
    this.#onClosed = options.onClosed;
  }

  /** Starts the deadline for the connection, unless the deadline is already running. */
  waitForConnection(): void {
    this.#deadline ??= setTimeout(
      () => this.fail([unavailable(this.#subgraph, this.#reconnectLimitMs)]),
      this.#reconnectLimitMs,
    );
  }

  connected(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  /** Ends the stream with errors that name its subgraph. */
  fail(errors: readonly GraphQLFormattedError[]): void {
    this.close();
    const serviceName = this.#subgraph;
    this.sink.error(
      errors.map((error) => ({ ...error, extensions: { ...error.extensions, serviceName } })),
    );
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.connected();
    this.unsubscribe();
    this.#onClosed();
  }
}

/**
 * Creates a payload whose variables are read again at each resubscription, because graphql-ws
 * stores the payload and sends it again.
 */
function payloadOf(request: UpstreamRequest): SubscribePayload {
  return {
    query: request.query,
    operationName: request.operationName,
    ...(request.extensions ? { extensions: { ...request.extensions } } : {}),
    get variables() {
      return { ...request.variables() };
    },
  };
}

function unavailable(subgraph: string, limitMs: number): GraphQLFormattedError {
  return {
    message: `The stream ended: the subgraph ${subgraph} has been unavailable for longer than ${limitMs / 1000} s. Subscribe again later.`,
    extensions: { code: 'UNAVAILABLE', retryable: true },
  };
}
