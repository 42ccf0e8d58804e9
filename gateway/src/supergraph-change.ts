import type { Admission } from './limits/admission.ts';
import type { StreamRegistry } from './live/fanout/stream-registry.ts';
import type { LiveGraph } from './live/upstream/live-graph.ts';
import type { Upstreams } from './live/upstream/upstreams.ts';
import type { GraphqlEndpoint } from './request-pipeline/graphql-endpoint.ts';
import type { SubgraphAddress } from './subgraphs/subgraph-addresses.ts';
import type { Subgraphs } from './subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from './supergraph.ts';

/**
 * Takes a supergraph into use in place of the one before, all or nothing.
 * @returns throws what is wrong with a supergraph; the one before then goes on
 */
export function createSupergraphChange({
  supergraph: first,
  addressesOf,
  graphOf,
  subgraphs,
  endpoint,
  admission,
  upstreams,
  live,
}: {
  supergraph: LoadedSupergraph;
  /** Throws when a subgraph has no address. */
  addressesOf: (supergraph: LoadedSupergraph) => readonly SubgraphAddress[];
  graphOf: (supergraph: LoadedSupergraph) => LiveGraph;
  subgraphs: Pick<Subgraphs, 'use'>;
  endpoint: Pick<GraphqlEndpoint, 'use'>;
  admission: Pick<Admission, 'use'>;
  upstreams: Pick<Upstreams, 'use'>;
  live: Pick<StreamRegistry, 'use'>;
}): (supergraph: LoadedSupergraph) => void {
  let current = addressesOf(first);
  return (supergraph) => {
    const addresses = addressesOf(supergraph);
    const graph = graphOf(supergraph);
    const letGo = subgraphs.use(addresses);
    try {
      endpoint.use(supergraph);
    } catch (error) {
      subgraphs.use(current)();
      throw error;
    }
    admission.use(supergraph);
    current = addresses;
    upstreams.use(addresses);
    // Until all streams have moved, some still ask subgraphs that are no longer in the supergraph.
    void live.use(graph).then(letGo);
  };
}
