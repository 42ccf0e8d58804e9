import { ClientError } from './client-error.ts';
import { Connector } from './connection/connector.ts';
import type { LiveDocument, Variables } from './document.ts';
import type {
  ConnectionState,
  LiveClient,
  LiveClientOptions,
  QueryOptions,
  StateListener,
  SubscribeHandlers,
  SubscribeOptions,
  Unsubscribe,
} from './live-client.ts';
import type { LiveEvent } from './live-event.ts';
import { printDocument } from './print-document.ts';
import { type Abort, sendQuery } from './query/send-query.ts';
import { LiveIterator } from './subscription/live-iterator.ts';
import { LiveSubscription } from './subscription/live-subscription.ts';
import { StateBoard } from './subscription/state-board.ts';
import { TokenSource } from './tokens/token-source.ts';

// biome-ignore lint/suspicious/noExplicitAny: the interface relates the document to its variables
type AnyDocument = LiveDocument<any, any>;
type IteratorOptions = SubscribeOptions & { readonly next?: undefined };

const DEFAULT_QUEUED_EVENTS = 1_000;

/**
 * Creates a client. Nothing is sent before the first query or subscription.
 * @throws {TypeError} if the address is invalid, or with `transport: 'websocket'` if there is no WebSocket
 * @example
 * const client = createClient({ url: 'http://localhost:4000/graphql' });
 * const { stocks } = await client.query('{ stocks { nodes { id quantity } } }');
 * for await (const { data } of client.subscribe('subscription { stockChanged { stock { id quantity } } }')) {
 *   if (data) console.log(data.stockChanged.stock);
 * }
 */
export function createClient(options: LiveClientOptions): LiveClient {
  return new Client(options);
}

class Client implements LiveClient {
  readonly #options: LiveClientOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #tokens: TokenSource;
  readonly #connector: Connector;
  readonly #board = new StateBoard<LiveSubscription>();
  readonly #aborts = new Set<Abort>();
  #isClosed = false;

  constructor(options: LiveClientOptions) {
    this.#options = options;
    // Not bound to this object: browsers' `fetch` must be called on the window.
    const { fetch = (input, init) => globalThis.fetch(input, init) } = options;
    this.#fetch = fetch;
    this.#tokens = new TokenSource(options.token);
    const webSocketUrl = webSocketUrlOf(options);
    this.#connector = new Connector({ ...options, fetch, webSocketUrl }, this.#tokens);
  }

  get state(): ConnectionState {
    return this.#board.worst.state;
  }

  get stateReason(): ClientError | null {
    return this.#board.worst.reason;
  }

  get identity(): string {
    return this.#tokens.identity;
  }

  onState(listener: StateListener): () => void {
    return this.#board.onChange(listener);
  }

  onIdentity(listener: (identity: string) => void): () => void {
    return this.#tokens.onIdentity(listener);
  }

  async query<TData>(
    document: AnyDocument,
    variables?: Variables | null,
    options?: QueryOptions,
  ): Promise<TData> {
    if (this.#isClosed) throw closedError();
    const { url, headers, queryTimeout: timeout } = this.#options;
    const data = await sendQuery({
      url,
      timeout,
      fetch: this.#fetch,
      tokens: this.#tokens,
      aborts: this.#aborts,
      signal: options?.signal,
      headers: { ...headers, ...options?.headers },
      body: { query: printDocument(document), variables: variables ?? undefined },
    });
    return data as TData;
  }

  subscribe<TData>(
    document: AnyDocument,
    variables: Variables | null | undefined,
    options: SubscribeHandlers<TData>,
  ): Unsubscribe;
  subscribe<TData>(
    document: AnyDocument,
    variables?: Variables | null,
    options?: IteratorOptions,
  ): AsyncIterableIterator<LiveEvent<TData>>;
  subscribe<TData>(
    document: AnyDocument,
    variables?: Variables | null,
    options: SubscribeHandlers<TData> | IteratorOptions = {},
  ): AsyncIterableIterator<LiveEvent<TData>> | Unsubscribe {
    const query = printDocument(document);
    const start = (handlers: SubscribeHandlers<unknown>): LiveSubscription =>
      this.#start(query, variables, handlers);
    if (options.next) return start(options as SubscribeHandlers<unknown>).close;
    const { maxQueuedEvents = DEFAULT_QUEUED_EVENTS } = this.#options;
    const iterator = new LiveIterator(
      (handlers) => start({ ...options, ...handlers }),
      maxQueuedEvents,
    );
    return iterator as AsyncIterableIterator<LiveEvent<TData>>;
  }

  reconnect(): void {
    this.#connector.reconnect();
  }

  close(): void {
    const error = closedError();
    this.#board.clear();
    this.#tokens.clear();
    this.#isClosed = true;
    for (const abort of this.#aborts) abort(error);
    for (const subscription of this.#board.subscriptions) subscription.fail(error);
    this.#connector.close();
  }

  #start(
    query: string,
    variables: Variables | null | undefined,
    handlers: SubscribeHandlers<unknown>,
  ): LiveSubscription {
    const subscription = new LiveSubscription({
      connector: this.#connector,
      board: this.#board,
      query,
      variables: variables ?? undefined,
      handlers,
      maxRetryDelay: this.#options.maxRetryDelay,
    });
    if (this.#isClosed) queueMicrotask(() => subscription.fail(closedError()));
    return subscription;
  }
}

const closedError = (): ClientError => new ClientError('The client is closed', { code: 'CLOSED' });

function webSocketUrlOf({ url, webSocketUrl = url }: LiveClientOptions): string {
  const address = new URL(webSocketUrl, globalThis.location?.href);
  address.protocol = address.protocol.replace('http', 'ws');
  return address.href;
}
