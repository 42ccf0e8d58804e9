import { OK, type PartState } from '@gudang/runtime';
import type { SubgraphSource } from './subgraph-source.ts';

/**
 * Time for which a result is cached, in milliseconds, so that several load balancers cause only one
 * probe.
 */
const CACHE_MS = 1_000;
const TIMEOUT_MS = 1_000;

/**
 * Creates the check of a subgraph for `/readyz`. It probes the subgraph only when `/readyz` is
 * requested.
 */
export function createSubgraphProbe(source: Pick<SubgraphSource, 'name' | 'probe'>) {
  let probedAt = Number.NEGATIVE_INFINITY;
  let state: Promise<PartState> | undefined;
  return (): Promise<PartState> => {
    const now = performance.now();
    if (!state || now - probedAt >= CACHE_MS) {
      probedAt = now;
      state = probe(source);
    }
    return state;
  };
}

async function probe(source: Pick<SubgraphSource, 'name' | 'probe'>): Promise<PartState> {
  try {
    const { errors = [] } = await source.probe(
      { query: '{ __typename }' },
      AbortSignal.timeout(TIMEOUT_MS),
    );
    if (!errors.some(({ extensions }) => extensions?.['code'] === 'FORBIDDEN')) return OK;
    const reason = `the subgraph ${source.name} rejects this gateway: set the same SUBGRAPH_SECRET on both`;
    return { state: 'degraded', reason };
  } catch {
    return { state: 'degraded', reason: `the subgraph ${source.name} does not answer` };
  }
}
