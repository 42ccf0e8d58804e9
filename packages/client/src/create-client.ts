import { ClientError } from './client-error.ts';
import { Connector, type ConnectorOptions } from './connection/connector.ts';
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
import { type QueryContext, sendQuery } from './query/send-query.ts';
import { iterate } from './subscription/live-iterator.ts';
import { LiveSubscription } from './subscription/live-subscription.ts';
import { StateBoard } from './subscription/state-board.ts';
import { TokenSource } from './tokens/token-source.ts';

// biome-ignore lint/suspicious/noExplicitAny: the interface relates the document to its variables
type AnyDocument = LiveDocument<any, any>;
type IteratorOptions = SubscribeOptions & { readonly next?: undefined };

const DEFAULT_QUEUED_EVENTS = 1_000;

/**
 * Creates a client. Nothing is sent before the first query or subscription.
 * @throws {TypeError} if the address is invalid
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
  readonly #context: QueryContext & ConnectorOptions;
  readonly #connector: Connector;
  readonly #board = new StateBoard<LiveSubscription>();
  #isClosed = false;

  constructor(options: LiveClientOptions) {
    this.#context = {
      ...options,
      // Not the function itself: browsers' `fetch` must be called on the window.
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      webSocketUrl: webSocketUrlOf(options),
      tokens: new TokenSource(options),
    };
    this.#connector = new Connector(this.#context);
  }

  get state(): ConnectionState {
    return this.#board.worst.state;
  }

  get stateReason(): ClientError | null {
    return this.#board.worst.reason;
  }

  get identity(): string {
    return this.#context.tokens.identity;
  }

  onState(listener: StateListener): () => void {
    return this.#board.listeners.add(listener);
  }

  onIdentity(listener: (identity: string) => void): () => void {
    return this.#context.tokens.listeners.add(listener);
  }

  async query<TData>(
    document: AnyDocument,
    variables?: Variables | null,
    options?: QueryOptions,
  ): Promise<TData> {
    if (this.#isClosed) throw closedError();
    return (await sendQuery(this.#context, bodyOf(document, variables), options)) as TData;
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
    const { maxQueuedEvents = DEFAULT_QUEUED_EVENTS, maxRetryDelay } = this.#context;
    // A copy: if the app changes its variables later, the subscription still resumes as it began.
    const request = JSON.parse(bodyOf(document, variables));
    const start = (handlers: SubscribeHandlers<unknown>): LiveSubscription => {
      const subscription = new LiveSubscription({
        connector: this.#connector,
        board: this.#board,
        request,
        handlers,
        maxRetryDelay,
      });
      if (this.#isClosed) queueMicrotask(() => subscription.fail(closedError()));
      return subscription;
    };
    if (options.next) return start(options as SubscribeHandlers<unknown>).close;
    const iterator = iterate((handlers) => start({ ...options, ...handlers }), maxQueuedEvents);
    return iterator as AsyncIterableIterator<LiveEvent<TData>>;
  }

  reconnect(): void {
    // Without a connection, lists that wait for a sign-in would not learn of another caller.
    if (this.#board.subscriptions.size === 0) {
      this.#context.tokens.read('connect').catch(() => {});
    }
    this.#connector.reconnect();
  }

  close(): void {
    this.#isClosed = true;
    this.#board.listeners.clear();
    this.#context.tokens.listeners.clear();
    for (const subscription of this.#board.subscriptions) subscription.fail(closedError());
    this.#connector.close();
  }
}

const bodyOf = (document: AnyDocument, variables?: Variables | null): string =>
  JSON.stringify({ query: printDocument(document), variables });

const closedError = (): ClientError => new ClientError('The client is closed', { code: 'CLOSED' });

const webSocketUrlOf = ({ url, webSocketUrl = url }: LiveClientOptions): string =>
  new URL(webSocketUrl, globalThis.location?.href).href.replace(/^http/, 'ws');
