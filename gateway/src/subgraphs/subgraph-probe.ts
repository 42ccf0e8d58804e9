import { OK, type PartState } from '@gudang/runtime';
import type { SubgraphSource } from './subgraph-source.ts';

/**
 * Time for which a result is cached, in milliseconds, so that several load balancers cause only one
 * probe.
 */
const CACHE_MS = 1_000;
const TIMEOUT_MS = 1_000;

type ProbedSource = Pick<SubgraphSource, 'name' | 'probe' | 'breaker'>;

/**
 * Creates the check of a subgraph for `/readyz`. It probes the subgraph only when `/readyz` is
 * requested.
 */
export function createSubgraphProbe(source: ProbedSource) {
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

async function probe({ name, ...source }: ProbedSource): Promise<PartState> {
  const breaker = source.breaker();
  try {
    const { errors = [] } = await source.probe(
      { query: '{ __typename }' },
      AbortSignal.timeout(TIMEOUT_MS),
    );
    if (errors.some(({ extensions }) => extensions?.['code'] === 'FORBIDDEN')) {
      const reason = `the subgraph ${name} rejects this gateway: set the same SUBGRAPH_SECRET on both`;
      return { state: 'degraded', reason };
    }
    if (breaker === 'closed') return OK;
    const reason = `most requests to the subgraph ${name} failed; its circuit breaker is ${breaker}`;
    return { state: 'degraded', reason };
  } catch {
    const reason = `the subgraph ${name} does not answer`;
    const state = breaker === 'closed' ? '' : `; its circuit breaker is ${breaker}`;
    return { state: 'degraded', reason: `${reason}${state}` };
  }
}
