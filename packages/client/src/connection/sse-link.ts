import { createClient, NetworkError } from 'graphql-sse';
import type { GraphQLErrorLike } from '../client-error.ts';
import type { Link, Loss, OperationRequest, OperationSink } from './link.ts';

/** Time without a byte after which a response counts as lost, in ms. Servers send comments every 12 s. */
const SILENCE_MS = 30_000;

/** Time after which an attempt to open a websocket is over, in ms. */
const HANDSHAKE_MS = 10_000;

export interface SseLinkOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly headers: Record<string, string>;
  readonly token: string | null;
}

/** One response of server-sent events, for one operation. */
export class SseLink implements Link {
  readonly token: string | null;
  readonly #options: SseLinkOptions;
  #sink: OperationSink | undefined;
  #stop = (): void => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;

  constructor(options: SseLinkOptions) {
    this.#options = options;
    this.token = options.token;
  }

  run(request: OperationRequest, sink: OperationSink): () => void {
    const { url, headers } = this.#options;
    this.#sink = sink;
    this.#hear();
    const client = createClient({
      url,
      headers,
      retryAttempts: 0,
      fetchFn: (input: string, init: RequestInit) => this.#fetch(input, init),
    });
    const connected = (): void => this.#sink?.opened();
    const handlers = {
      next: (result: { data?: unknown; errors?: unknown }) => this.#next(result),
      error: (error: unknown) => this.#end()?.lost(lossOf(error)),
      complete: () => this.#end()?.complete(),
    };
    this.#stop = client.subscribe(request, handlers, { connected });
    return () => this.close();
  }

  probe(within: number): void {
    // Nothing can be sent over the response. It counts as lost if it is more than a heartbeat late.
    if (Date.now() - this.#heardAt > SILENCE_MS / 2) this.#expectWithin(within);
  }

  close(): void {
    this.#end();
  }

  #next(result: { data?: unknown; errors?: unknown }): void {
    // Without `data`, the operation was not executed (GraphQL specification, 7.1.2).
    if (result.data !== undefined || !Array.isArray(result.errors))
      this.#sink?.next(result as object);
    else this.#end()?.rejected(result.errors as readonly GraphQLErrorLike[]);
  }

  /** @returns the sink, once */
  #end(): OperationSink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    clearTimeout(this.#timer);
    this.#stop();
    return sink;
  }

  #hear(): void {
    this.#heardAt = Date.now();
    this.#expectWithin(SILENCE_MS);
  }

  #expectWithin(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#sink) this.#timer = setTimeout(() => this.#end()?.lost(lossOf()), ms);
  }

  async #fetch(input: string, init: RequestInit): Promise<unknown> {
    const { ok, status, statusText, headers, body } = await this.#options.fetch(input, init);
    return { ok, status, statusText, headers, body: body && this.#watch(body) };
  }

  /**
   * Passes the bytes on. graphql-sse misses the end of a response while it delivers the last events, so
   * the end is an error: a stream that is over has been completed before.
   */
  async *#watch(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error('The response has ended');
        this.#hear();
        yield value;
      }
    } finally {
      void reader.cancel().catch(() => {});
    }
  }
}

function lossOf(cause?: unknown): Loss {
  const { status, headers } = (cause instanceof NetworkError && (cause.response as Response)) || {};
  return {
    isRefused: status === 401,
    detail: status && `status ${status}`,
    status,
    cause,
    retryAfter: Number(headers?.get('retry-after') ?? 0) * 1000 || 0,
  } as Loss;
}

/** Opens a websocket, and closes it at once. @param onOpen called if it was opened */
export function tryWebSocket(
  webSocketImpl: typeof WebSocket,
  url: string,
  onOpen: () => void,
): void {
  const socket = new webSocketImpl(url, 'graphql-transport-ws');
  const timer = setTimeout(() => socket.close(), HANDSHAKE_MS);
  // The package ws throws errors without a listener.
  socket.onerror = () => {};
  socket.onclose = () => clearTimeout(timer);
  socket.onopen = () => {
    socket.close();
    onOpen();
  };
}
