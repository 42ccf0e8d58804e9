import type { IncomingHttpHeaders } from 'node:http';
import type { Identity } from '@gudang/auth';
import { readTraceContext } from '@gudang/runtime/tracing';
import type { PluginClient } from '../plugin.d.ts';
import type { PartSink } from './defer/part-sink.ts';
import type { ForwardedHeaders } from './headers/forwarded-headers.ts';
import type { ClientHeaders } from './headers/gateway-headers.ts';
import type { ReturnedCollection } from './headers/returned-headers.ts';
import type { AnswerBytes } from './limits/answer-bytes.ts';
import type { AbortSignalLike } from './request-deduplication/abort-signal.ts';

/** Data of one operation that every part of the gateway may use. */
export interface GatewayContext {
  /** Headers of W3C Trace Context, which are sent to subgraphs. */
  readonly forward: Record<string, string>;
  /** The client's headers that rules forward; undefined without such rules. */
  readonly headers?: ForwardedHeaders | undefined;
  /** The client's headers and identity, for plugins; undefined without plugins. */
  readonly client?: PluginClient | undefined;
  /** Collects the subgraphs' headers that the client receives; undefined without such rules. */
  readonly returned?: ReturnedCollection | undefined;
  /** The caller, as sent to subgraphs. */
  readonly identity: Identity;
  /** The client's address, as `ClientAddress` returns it; undefined for events of live streams. */
  readonly address?: string;
  /** Signal that is aborted when no client waits for the answer any longer. */
  readonly signal?: AbortSignalLike;
  /** Called when a subgraph has not answered a request of the operation, or has refused it. */
  readonly onUnavailable?: () => void;
  /** Counts the subgraphs' answers; undefined for events of live streams. */
  readonly answer?: AnswerBytes;
  /** Receives the deferred fragments of the operation; undefined if it is answered as a whole. */
  readonly parts?: PartSink | undefined;
  /** Whether the operation runs again because a shared execution has failed. */
  readonly isRetry?: boolean;
  /** Whether the operation has sent a mutation before, so that it must not be repeated as a whole. */
  readonly isLater?: boolean;
  /** Time for which an event has waited for the subgraph already, in milliseconds. */
  readonly waitedMs?: number;
}

/**
 * Creates the context of an operation.
 * @param headers headers of the HTTP request, or of the request that opened the websocket
 * @param read what is kept of the client's headers
 */
export function contextOf(
  headers: IncomingHttpHeaders,
  identity: Identity,
  address: string,
  read?: ClientHeaders,
): GatewayContext {
  const forward = readTraceContext(headers);
  return { forward, identity, address, headers: read?.headers, client: read?.client };
}
