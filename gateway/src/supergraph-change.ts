import type { Execution } from './execution.ts';
import type { Admission } from './limits/admission.ts';
import type { Live } from './live.ts';
import type { GatewayRuntime } from './runtime.ts';
import type { SubgraphAddress } from './subgraphs/subgraph-addresses.ts';
import type { LoadedSupergraph } from './supergraph.ts';

/**
 * Connects the parts of the gateway that use the supergraph, so that it is replaced in all of them
 * or in none.
 * @returns a function that applies a supergraph. If the supergraph cannot be used, the function
 * throws, and the current supergraph stays in use.
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
    // Until all streams have moved, some of them still use subgraphs that the new supergraph does
    // not have.
    void moveStreams(addresses).then(removeUnused);
  };
}
