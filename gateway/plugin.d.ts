import type { IncomingHttpHeaders } from 'node:http';
import type { ApolloServerPlugin } from '@apollo/server';

/** The caller of an operation. */
export interface PluginIdentity {
  /** The user's id. Undefined for an anonymous caller, and for what several users share. */
  readonly subject?: string | undefined;
  /** Set for what several authenticated users share. */
  readonly authenticated?: true | undefined;
  readonly scopes: readonly string[];
  /** Set if authentication is disabled. */
  readonly unrestricted?: true | undefined;
}

/** Headers and identity of a client. */
export interface PluginClient {
  /** Headers of the HTTP request, or of the request that opened the websocket; names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Payload of `connection_init`; undefined over HTTP. */
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly identity: PluginIdentity;
}

/** `contextValue` in the hooks of Apollo Server. A plugin may add members of its own. */
export interface PluginContext {
  readonly identity: PluginIdentity;
  /** The client's address. */
  readonly address?: string;
  readonly client?: PluginClient | undefined;
}

/** Headers of a request to a subgraph. */
export interface PluginHeaders {
  /** @param name in any case */
  get(name: string): string | undefined;
  /**
   * Replaces a header.
   * @throws if a plugin must not set the header, such as `host`, or if the value is not a text in ASCII
   */
  set(name: string, value: string): void;
  delete(name: string): void;
}

/** The headers that one client's operations send to a subgraph. */
export interface ForwardedRequest {
  readonly subgraph: string;
  readonly client: PluginClient;
  /** The headers that the rules of `HEADER_RULES` have set. */
  readonly headers: PluginHeaders;
}

/** A request that is about to be sent to a subgraph. */
export interface SubgraphRequest {
  readonly subgraph: string;
  /** `event`: adds fields to an event of a subscription. */
  readonly kind: 'query' | 'mutation' | 'subscription' | 'event';
  readonly query: string;
  readonly operationName?: string | undefined;
  /** Undefined for a subscription. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** The identity that is sent to the subgraph: that of all clients that may share the request. */
  readonly identity: PluginIdentity;
  readonly headers: PluginHeaders;
}

/** A client's subscription; the same object in all hooks. */
export interface LiveSubscription {
  readonly query: string;
  readonly operationName: string | undefined;
  /** Name of the subscribed field. */
  readonly field: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly identity: PluginIdentity;
  readonly client: PluginClient | undefined;
}

/** An event, after its fields of other subgraphs were added, and before any client receives it. */
export interface LiveEvent {
  /** Name of the subgraph that has sent the event. */
  readonly subgraph: string;
  /** Name of the subscribed field. */
  readonly field: string;
  /** Identity that all clients of the stream share. */
  readonly identity: PluginIdentity;
  /** The result that clients receive. It must not be changed. */
  readonly result: {
    readonly data?: Readonly<Record<string, unknown>> | null;
    readonly errors?: readonly { readonly message: string }[];
  };
}

/** How a client's subscription has ended. */
export interface LiveEnd {
  /**
   * `left`: the client has left, or its connection was closed. `completed`: the stream is over. `failed`:
   * the stream ended with errors. `lagged`: the client has read too slowly.
   */
  readonly reason: 'left' | 'completed' | 'failed' | 'lagged';
  /** Number of messages that were sent to the client. */
  readonly messages: number;
  readonly milliseconds: number;
}

/**
 * A plugin of the gateway. It is also a plugin of Apollo Server: all of its hooks work. To refuse an
 * operation, a hook throws an error with `extensions`, such as
 * `Object.assign(new Error('…'), { extensions: { code: 'FORBIDDEN' } })`. Every other error is logged, and
 * the client receives `Internal error`.
 */
export interface GatewayPlugin extends ApolloServerPlugin<PluginContext> {
  /** Names the plugin in the log. Default: the path of its module. */
  readonly name?: string;
  /**
   * Sets the headers that all operations of a client send to a subgraph, over HTTP and in live streams.
   * Called for each subgraph, once for each HTTP request and websocket. They belong to everything by which
   * clients share work. May refuse the request or the websocket.
   */
  forwardHeaders?(request: ForwardedRequest): void;
  /**
   * Called before a request is sent to a subgraph. Identical requests are sent once if their headers are
   * equal after this hook. May refuse the request.
   */
  willSendSubgraphRequest?(request: SubgraphRequest): void | Promise<void>;
  /** Called before a client's subscription begins. May refuse it. */
  liveSubscribe?(subscription: LiveSubscription): void | Promise<void>;
  /** Called once for each event, however many clients receive it. The gateway does not wait for it. */
  liveEvent?(event: LiveEvent): void | Promise<void>;
  /** Called once for each subscription that has begun. The gateway does not wait for it. */
  liveEnd?(subscription: LiveSubscription, end: LiveEnd): void | Promise<void>;
}

/** Options for a function that creates a plugin. */
export interface PluginOptions {
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** The default export of a plugin's module: a plugin, several, or a function that returns either. */
export type PluginModule =
  | GatewayPlugin
  | readonly GatewayPlugin[]
  | ((
      options: PluginOptions,
    ) =>
      | GatewayPlugin
      | readonly GatewayPlugin[]
      | Promise<GatewayPlugin | readonly GatewayPlugin[]>);
