import type { GatewayPlugin } from '../../plugin.d.ts';
import type { PrepareHeaders } from '../headers/forwarded-headers.ts';
import type { GatewayHeaders } from '../headers/gateway-headers.ts';
import { guardApolloPlugin } from './guard-apollo-plugin.ts';
import { askInTurn } from './hook-runner.ts';
import { APOLLO_HOOKS, type LoadedPlugin } from './load-plugins.ts';
import { createPluginForwarding, describeClient } from './plugin-forwarding.ts';
import { RequestHeaders } from './request-headers.ts';

/** The hooks of all plugins, by the part of the gateway that calls them. */
export interface GatewayPlugins {
  /** Plugins of Apollo Server, in order. */
  readonly apollo: readonly GatewayPlugin[];
  /**
   * Whether Apollo Server must handle every request, because a plugin follows requests. Requests then
   * neither take the fast path nor share an execution.
   */
  readonly needsPipeline: boolean;
  /** Plugins with hooks of the live engine. */
  readonly live: readonly LoadedPlugin[];
  /** Adds what plugins do to the headers that pass the gateway. */
  readonly extend: (headers: GatewayHeaders) => GatewayHeaders;
}

export function createGatewayPlugins(loaded: readonly LoadedPlugin[]): GatewayPlugins {
  return {
    apollo: loaded
      .filter(({ plugin }) => APOLLO_HOOKS.some((hook) => plugin[hook]))
      .map(guardApolloPlugin),
    needsPipeline: loaded.some(({ plugin }) => plugin.requestDidStart),
    live: loaded.filter(({ plugin }) => plugin.liveSubscribe || plugin.liveEvent || plugin.liveEnd),
    extend: (headers) => (loaded.length > 0 ? extendHeaders(loaded, headers) : headers),
  };
}

function extendHeaders(loaded: readonly LoadedPlugin[], headers: GatewayHeaders): GatewayHeaders {
  const forwarders = loaded.filter(({ plugin }) => plugin.forwardHeaders);
  let names: readonly string[] = [];
  const forwarding =
    forwarders.length > 0
      ? createPluginForwarding(forwarders, headers.forwarding, () => names)
      : headers.forwarding;
  return {
    ...headers,
    forwarding,
    prepare: createPrepare(loaded.filter(({ plugin }) => plugin.willSendSubgraphRequest)),
    read: (sent, identity, params) => ({
      headers: forwarding?.of(sent, params, identity),
      client: describeClient(sent, identity, params),
    }),
    assertKnown: (subgraphs) => {
      headers.assertKnown(subgraphs);
      // A supergraph that is refused later only adds names, which separates no fewer clients.
      names = [...new Set([...names, ...subgraphs.map(({ name }) => name)])];
    },
  };
}

function createPrepare(plugins: readonly LoadedPlugin[]): PrepareHeaders | undefined {
  if (plugins.length === 0) return undefined;
  return (request, before) => {
    const headers = new RequestHeaders(before);
    const asked = { ...request, headers };
    const waiting = askInTurn(plugins, 'willSendSubgraphRequest', (plugin) =>
      plugin.willSendSubgraphRequest?.(asked),
    );
    return waiting === undefined ? headers.end() : waiting.then(() => headers.end());
  };
}
