import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { SnapshotMarker } from './snapshot-marker.ts';
import { subgraphUnavailable } from './upstream-errors.ts';

/** A subscription as the gateway sends it to a subgraph. */
export interface UpstreamRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  /**
   * Called for the first subscription and again for each resubscription after a lost connection.
   */
  readonly variables: () => Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Asks a subgraph of Gudang to execute the events one at a time, with pauses. */
  readonly isCostly?: boolean;
  /** Asks a subgraph of Gudang to send the events with pauses. */
  readonly isSlow?: boolean;
}

/** Receives the events of one upstream stream. `error` and `complete` each end the stream. */
export interface UpstreamSink {
  /**
   * @param reportsPositions whether the subgraph sends position reports
   * @param messageBytes size of the message that contained the event
   */
  readonly next: (
    event: FormattedExecutionResult,
    reportsPositions: boolean,
    messageBytes: number,
  ) => void;
  /**
   * Receives a position report: all events before the cursor have been sent. `null`: the stream has
   * no position until the next report.
   */
  readonly position: (cursor: string | null) => void;
  /**
   * Receives the announcement of a snapshot. From `begin` or `continue` on, the stream can continue after
   * the cursor of each event.
   */
  readonly snapshot: (marker: SnapshotMarker) => void;
  readonly error: (errors: readonly GraphQLFormattedError[]) => void;
  readonly complete: () => void;
}

/** A connection that carries streams. */
export interface StreamCarrier {
  readonly isSettled: boolean;
  /** @returns the operation's id; undefined if the stream was not subscribed */
  readonly subscribe: (stream: LinkedStream) => string | undefined;
  readonly unsubscribe: (id: string) => void;
}

interface StreamOptions {
  readonly request: UpstreamRequest;
  readonly sink: UpstreamSink;
  /** The subgraph's name. */
  readonly subgraph: string;
  /** Time that the stream waits for its subgraph before it fails, in milliseconds. */
  readonly reconnectLimitMs: number;
  readonly onClosed: () => void;
}

/** One stream of a link, from its subscription to its end, over any number of connections. */
export class LinkedStream {
  readonly sink: UpstreamSink;
  readonly #options: StreamOptions;
  #deadline: NodeJS.Timeout | undefined;
  #carrier: { readonly connection: StreamCarrier; readonly id: string } | undefined;
  isClosed = false;
  /** Whether the subgraph has ever sent an event or a position of the stream. */
  isHeard = false;
  /** Number of times that the stream was retried on a connection of its own. */
  trials = 0;
  /** Number of connections that were lost before the stream was heard. */
  losses = 0;
  /** Called when the subgraph sends the stream's first event or position on a connection. */
  onHeard: (() => void) | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.sink = options.sink;
  }

  /** Returns the payload of the stream's `subscribe` message. */
  payload(): object {
    const { query, operationName, variables, extensions } = this.#options.request;
    return { query, operationName, variables: variables(), extensions };
  }

  /** Subscribes on a connection, and leaves the connection that carried the stream before. */
  sendOn(connection: StreamCarrier): void {
    this.leave();
    const id = connection.subscribe(this);
    if (id === undefined) return;
    this.#carrier = { connection, id };
    if (connection.isSettled) this.connected();
  }

  leave(): void {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.connection.unsubscribe(carrier.id);
  }

  heard(): void {
    this.isHeard = true;
    this.onHeard?.();
  }

  /** Starts the deadline for the connection, unless the deadline is already running. */
  waitForConnection(): void {
    const { subgraph, reconnectLimitMs } = this.#options;
    this.#deadline ??= setTimeout(
      () => this.fail([subgraphUnavailable(subgraph, reconnectLimitMs)]),
      reconnectLimitMs,
    );
  }

  connected(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  /** Ends the stream with errors that name its subgraph. */
  fail(errors: readonly GraphQLFormattedError[]): void {
    if (this.isClosed) return;
    this.close();
    const serviceName = this.#options.subgraph;
    this.sink.error(
      errors.map((error) => ({ ...error, extensions: { ...error.extensions, serviceName } })),
    );
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.connected();
    this.leave();
    this.#options.onClosed();
  }
}
