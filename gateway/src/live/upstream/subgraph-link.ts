import { createBackoff, type Logger, type Stoppable } from '@gudang/runtime';
import type { Headers } from '../../headers/forwarded-headers.ts';
import { LinkedStream, type UpstreamRequest, type UpstreamSink } from './linked-stream.ts';
import { StreamIsolation } from './stream-isolation.ts';
import {
  type ConnectionEnd,
  type ConnectionEvents,
  UpstreamConnection,
} from './upstream-connection.ts';

/** Time for which an unused connection stays open for the next stream, in milliseconds. */
const LINGER_MS = 2_000;

interface LinkOptions {
  /** The subgraph's name. */
  readonly name: string;
  readonly wsUrl: string;
  /** Headers of the request that opens the connection. */
  readonly headers?: Headers;
  /** The payload of `connection_init`. */
  readonly params: Readonly<Record<string, unknown>>;
  /**
   * Time that a stream waits for its subgraph before it fails with UNAVAILABLE, in milliseconds.
   */
  readonly reconnectLimitMs: number;
  readonly log: Logger;
  /** Called when the last stream has been closed. */
  readonly onUnused: () => void;
}

/**
 * The streams from one subgraph. They share one connection, which the link opens for the first
 * stream and closes 2 s after the last one. A lost connection is reopened after an exponential
 * back-off with jitter, and its streams are resubscribed; each stream has a deadline until the new
 * connection is settled.
 *
 * If the subgraph closes the connection because of a stream, the streams that were being
 * established are retried on connections of their own (see `StreamIsolation`), and the shared
 * connection is reopened at once for the others.
 */
export class SubgraphLink implements Stoppable {
  readonly #options: LinkOptions;
  readonly #isolation: StreamIsolation;
  readonly #streams = new Set<LinkedStream>();
  /** Streams of the shared connection, including those that wait for it. */
  readonly #shared = new Set<LinkedStream>();
  readonly #backoff = createBackoff(100, 5_000);
  #connection: UpstreamConnection | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#isolation = new StreamIsolation({
      subgraph: options.name,
      connect: (events) => this.#open(events),
      onHarmless: (stream) => this.#share(stream),
    });
  }

  /** Number of streams, including those that wait for the subgraph. */
  get size(): number {
    return this.#streams.size;
  }

  /** Opens a stream. @returns a function that closes it; the sink receives nothing afterwards */
  subscribe(request: UpstreamRequest, sink: UpstreamSink): () => void {
    const stream: LinkedStream = new LinkedStream({
      request,
      sink,
      subgraph: this.#options.name,
      reconnectLimitMs: this.#options.reconnectLimitMs,
      onClosed: () => this.#closed(stream),
    });
    this.#streams.add(stream);
    if (!this.#connection?.isSettled) stream.waitForConnection();
    this.#share(stream);
    return () => stream.close();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isolation.stop();
    for (const stream of [...this.#streams]) stream.close();
    clearTimeout(this.#reconnect);
    clearTimeout(this.#linger);
    this.#connection?.terminate();
    this.#connection = undefined;
  }

  /** Puts a stream on the shared connection, now or when the connection is acknowledged. */
  #share(stream: LinkedStream): void {
    this.#shared.add(stream);
    clearTimeout(this.#linger);
    if (this.#connection?.isAcknowledged) stream.sendOn(this.#connection);
    else if (!this.#connection && !this.#reconnect) this.#connect();
  }

  #connect(): void {
    this.#reconnect = undefined;
    const connection = this.#open({
      onAcknowledged: () => {
        for (const stream of this.#shared) stream.sendOn(connection);
      },
      onSettled: () => this.#backoff.reset(),
      onUnused: () => this.#closeLater(),
      onLarge: (stream) => {
        this.#shared.delete(stream);
        this.#isolation.isolate([stream]);
      },
      onEnded: (end) => this.#lost(end),
    });
    this.#connection = connection;
  }

  #open(events: ConnectionEvents): UpstreamConnection {
    const { name: subgraph, wsUrl, headers, params, log } = this.#options;
    return new UpstreamConnection({ subgraph, wsUrl, headers, params, log, ...events });
  }

  #lost(end: ConnectionEnd): void {
    const { name: subgraph, log } = this.#options;
    const { code, reason, state, sent } = end;
    this.#connection = undefined;
    if (state !== 'connecting' && sent.length > 0) {
      log.warn(
        { subgraph, streams: sent.length, code, reason },
        'the live connection to a subgraph is lost; the gateway reconnects and resumes its streams',
      );
    }
    const suspects = this.#isolation.suspectsOf(end);
    for (const suspect of suspects) this.#shared.delete(suspect);
    for (const { stream } of sent) stream.waitForConnection();
    if (this.#shared.size > 0) {
      // The back-off protects the subgraph only if the next connection can be closed as well.
      const wait = suspects.length > 0 ? 0 : this.#backoff.next();
      this.#reconnect = setTimeout(() => this.#connect(), wait);
    }
    this.#isolation.isolate(suspects);
  }

  #closeLater(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#shared.size > 0) return;
      this.#connection?.close();
      this.#connection = undefined;
    }, LINGER_MS);
  }

  #closed(stream: LinkedStream): void {
    this.#streams.delete(stream);
    this.#shared.delete(stream);
    this.#isolation.forget(stream);
    if (this.#shared.size === 0 && !this.#isStopped) {
      clearTimeout(this.#reconnect);
      this.#reconnect = undefined;
      this.#closeLater();
    }
    if (this.#streams.size === 0 && !this.#isStopped) this.#options.onUnused();
  }
}
