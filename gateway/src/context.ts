import type { IncomingHttpHeaders } from 'node:http';
import type { Identity } from '@gudang/auth';
import type { OperationTypeNode } from 'graphql';
import type { AdmittedOperation } from './limits/admission.ts';
import type { AbortSignalLike } from './request-deduplication/abort-signal.ts';

/** What travels with an operation through the gateway. */
export interface GatewayContext {
  /** Headers that its requests to subgraphs carry. */
  readonly forward: Record<string, string>;
  /** Who asks: told to the subgraphs. */
  readonly identity: Identity;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignalLike;
  /** What admission has measured; nothing else may run. */
  readonly admitted?: Pick<AdmittedOperation, 'query' | 'operationName' | 'variables'>;
  /** Called once it is known what the operation is, before it is executed. */
  readonly begins?: (kind: `${OperationTypeNode}`) => void;
}

const FORWARDED = ['traceparent', 'tracestate'] as const;

/** Of a request, or of a websocket by the request that opened it. @param identity who asks */
export function contextOf(headers: IncomingHttpHeaders, identity: Identity): GatewayContext {
  const forward: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') forward[name] = value;
  }
  return { forward, identity };
}
