import type { Execution } from './execution.ts';
import type { Admission } from './limits/admission.ts';
import type { Live } from './live.ts';
import type { GatewayRuntime } from './runtime.ts';
import type { SubgraphAddress } from './subgraphs/subgraph-addresses.ts';
import type { LoadedSupergraph } from './supergraph.ts';

/**
 * Replaces the supergraph everywhere, or nowhere.
 * @returns a function that applies a supergraph; it throws when the supergraph cannot be used, and
 * the current one then stays in use
 */
export function createSupergraphChange({
  runtime: { addressesOf },
  current: first,
  admission,
  execution,
  live,
}: {
  runtime: Pick<GatewayRuntime, 'addressesOf'>;
  /** Addresses of the subgraphs in use. */
  current: readonly SubgraphAddress[];
  admission: Pick<Admission, 'use'>;
  execution: Pick<Execution, 'use' | 'subgraphs'>;
  live: Pick<Live, 'prepare'>;
}): (supergraph: LoadedSupergraph) => void {
  const { subgraphs } = execution;
  let current = first;
  return (supergraph) => {
    const addresses = addressesOf(supergraph);
    const moveStreams = live.prepare(supergraph);
    const removeUnused = subgraphs.use(addresses);
    try {
      execution.use(supergraph);
    } catch (error) {
      subgraphs.use(current)();
      throw error;
    }
    admission.use(supergraph);
    current = addresses;
    // Until all streams have moved, some still use subgraphs that the supergraph no longer has.
    void moveStreams(addresses).then(removeUnused);
  };
}
