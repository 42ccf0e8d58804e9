import type { IncomingHttpHeaders } from 'node:http';

/** What travels with an operation through the gateway. */
export interface GatewayContext {
  /** Headers that its requests to subgraphs carry. */
  readonly forward: Readonly<Record<string, string>>;
}

const FORWARDED = ['traceparent', 'tracestate'] as const;

export function contextOf(headers: IncomingHttpHeaders): GatewayContext {
  const forward: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') forward[name] = value;
  }
  return { forward };
}
