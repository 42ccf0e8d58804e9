import {
  createHealth,
  createMetrics,
  type Health,
  type Metrics,
  type ProcessContext,
} from '@gudang/runtime';
import { allowsJourneys } from '@gudang/runtime/tracing';
import { createGatewayHeaders, type GatewayHeaders } from './headers/gateway-headers.ts';
import type { HeaderRules } from './headers/header-rules.ts';
import { createGatewayPlugins, type GatewayPlugins } from './plugins/gateway-plugins.ts';
import type { LoadedPlugin } from './plugins/load-plugins.ts';
import { createInvalidation, type Invalidation } from './request-deduplication/invalidation.ts';
import type { gatewaySettings } from './settings.ts';
import { type SubgraphAddress, subgraphAddresses } from './subgraphs/subgraph-addresses.ts';
import type { LoadedSupergraph } from './supergraph.ts';

export type GatewayProcess = Omit<ProcessContext<typeof gatewaySettings>, 'name' | 'fail'>;

/** Dependencies that all parts of the gateway share. */
export interface GatewayRuntime extends GatewayProcess {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly invalidation: Invalidation;
  /** The headers that pass the gateway. */
  readonly headers: GatewayHeaders;
  readonly plugins: GatewayPlugins;
  /** Whether clients may explore the graph by introspection, Sandbox, GraphiQL and suggestions. */
  readonly explore: boolean;
  /** Receiver of journeys; undefined if there is none. */
  readonly journeysUrl: string | undefined;
  /** Secret that proves to subgraphs that the gateway sent a request. */
  readonly secret: string | undefined;
  /** @throws {StartError} when a subgraph has no usable address */
  readonly addressesOf: (supergraph: LoadedSupergraph) => readonly SubgraphAddress[];
}

export function createRuntime(
  process: GatewayProcess,
  rules?: HeaderRules,
  loaded: readonly LoadedPlugin[] = [],
): GatewayRuntime {
  const { settings, log } = process;
  const plugins = createGatewayPlugins(loaded);
  const headers = plugins.extend(createGatewayHeaders(log, rules));
  return {
    ...process,
    health: createHealth(),
    metrics: createMetrics('gateway'),
    invalidation: createInvalidation(),
    headers,
    plugins,
    explore: settings.EXPLORE ?? settings.NODE_ENV !== 'production',
    journeysUrl: allowsJourneys(globalThis.process.env) ? settings.JOURNEYS_URL : undefined,
    // The gateway sends the first secret. The others are accepted while the secret is being
    // replaced.
    secret: settings.SUBGRAPH_SECRET?.[0],
    addressesOf: ({ subgraphs }) => {
      headers.assertKnown(subgraphs);
      return subgraphAddresses(
        subgraphs,
        settings.SUBGRAPH_URLS,
        settings.SUBGRAPH_WS_URLS,
        settings.FOREIGN_SUBGRAPHS,
        { given: settings.SUBGRAPH_LIMITS, timeoutMs: settings.SUBGRAPH_TIMEOUT_MS },
      );
    },
  };
}
