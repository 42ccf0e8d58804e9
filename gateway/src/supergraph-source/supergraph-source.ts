import type { Health, Logger, Metrics, Stoppable } from '@gudang/runtime';
import type { SettingsOf } from '@gudang/runtime/settings';
import type { LoadedSupergraph } from '../supergraph.ts';
import type { UseSupergraph } from './applied-supergraph.ts';
import { loadFromFile } from './file-source.ts';
import { createKeptCopy } from './kept-copy.ts';
import { loadFromRegistry, type SupergraphRegistry } from './remote-source.ts';
import type { supergraphSettings } from './source-settings.ts';
import { createUrlRegistry } from './url-registry.ts';

/** The supergraph for the start, and the place where its changes are published. */
export interface SupergraphSource {
  readonly supergraph: LoadedSupergraph;
  /** Applies each changed supergraph until it is stopped. */
  readonly start: (use: UseSupergraph) => Stoppable;
}

interface Options {
  readonly settings: SettingsOf<typeof supergraphSettings>;
  /** @throws {StartError} if a subgraph has no usable address */
  readonly addressesOf: (supergraph: LoadedSupergraph) => unknown;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Loads the supergraph from the place that the settings name.
 * @throws {StartError} if there is none that can be used
 */
export async function loadSupergraphSource(options: Options): Promise<SupergraphSource> {
  const { settings, addressesOf, log } = options;
  const { SUPERGRAPH: place, SUPERGRAPH_COPIES: copies } = settings;
  if (place === undefined || place.kind === 'file') {
    return loadFromFile({ ...options, path: place?.path });
  }
  const registry = await createRegistry(options, place.kind === 'urls' ? place.urls : undefined);
  const folder = copies === 'off' ? undefined : copies;
  return loadFromRegistry({
    ...options,
    registry,
    copy: createKeptCopy(folder, registry.addresses, log),
    assertUsable: addressesOf,
  });
}

/** @param urls undefined: GraphOS */
async function createRegistry(
  { settings, log }: Options,
  urls: readonly string[] | undefined,
): Promise<SupergraphRegistry> {
  const pollMs = settings.SUPERGRAPH_POLL_S * 1000;
  if (urls) {
    return createUrlRegistry({
      urls,
      headers: settings.SUPERGRAPH_HEADERS,
      headersFile: settings.SUPERGRAPH_HEADERS_FILE,
      pollMs,
      log,
    });
  }
  // @apollo/gateway, whose manager this registry uses, takes 10 MiB of memory.
  const { createGraphosRegistry } = await import('./graphos-registry.ts');
  return createGraphosRegistry({
    apiKey: settings.APOLLO_KEY ?? '',
    graphRef: settings.APOLLO_GRAPH_REF ?? '',
    endpoints: settings.APOLLO_UPLINK_ENDPOINTS,
    pollMs,
    log,
  });
}
