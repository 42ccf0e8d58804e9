import type { IncomingHttpHeaders } from 'node:http';
import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { PluginClient } from '../../plugin.d.ts';
import type { ForwardedHeaders, HeaderForwarding, Headers } from '../headers/forwarded-headers.ts';
import type { LoadedPlugin } from './load-plugins.ts';
import { RequestHeaders } from './request-headers.ts';

/**
 * Creates the selection of forwarded headers to which plugins contribute. Their headers for every subgraph
 * are part of the key.
 * @param subgraphs returns the names of all subgraphs
 */
export function createPluginForwarding(
  plugins: readonly LoadedPlugin[],
  rules: HeaderForwarding | undefined,
  subgraphs: () => readonly string[],
): HeaderForwarding {
  const forward = (client: PluginClient, ruled: ForwardedHeaders | undefined): ForwardedHeaders => {
    const known = new Map<string, Headers>();
    const to = (subgraph: string): Headers => {
      const found = known.get(subgraph) ?? apply(plugins, client, subgraph, ruled);
      known.set(subgraph, found);
      return found;
    };
    // Here a plugin may refuse the client.
    for (const name of subgraphs()) to(name);
    return {
      to,
      // The subgraphs may change during a live stream.
      get key() {
        return JSON.stringify([ruled?.key, subgraphs().map(to)]);
      },
    };
  };
  const of = (headers: IncomingHttpHeaders, params?: unknown, identity = ANONYMOUS) =>
    forward(describeClient(headers, identity, params), rules?.of(headers, params, identity));
  return { of, none: rules?.none ?? NONE };
}

/** Returns what a client has sent, for plugins. */
export function describeClient(
  headers: IncomingHttpHeaders,
  identity: Identity,
  params: unknown,
): PluginClient {
  const isObject = typeof params === 'object' && params !== null;
  return { headers, identity, params: isObject ? (params as Record<string, unknown>) : undefined };
}

const NO_HEADERS: Headers = {};
const NONE: ForwardedHeaders = { key: '', to: () => NO_HEADERS };

function apply(
  plugins: readonly LoadedPlugin[],
  client: PluginClient,
  subgraph: string,
  ruled: ForwardedHeaders | undefined,
): Headers {
  const headers = new RequestHeaders(ruled?.to(subgraph) ?? NO_HEADERS);
  for (const { plugin, runner } of plugins) {
    runner.askNow('forwardHeaders', () => plugin.forwardHeaders?.({ subgraph, client, headers }));
  }
  return headers.end();
}
