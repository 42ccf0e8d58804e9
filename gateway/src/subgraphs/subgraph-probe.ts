import { OK, type PartState } from '@gudang/runtime';
import type { SubgraphSource } from './subgraph-source.ts';

/** How long an answer counts, so that probes of load balancers do not add up, in milliseconds. */
const KEPT_MS = 1_000;
const DEADLINE_MS = 1_000;

/** What `/readyz` says of a subgraph; it is asked only when `/readyz` is. */
export function createSubgraphProbe(source: Pick<SubgraphSource, 'name' | 'ask'>) {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<PartState> | undefined;
  return (): Promise<PartState> => {
    const now = performance.now();
    if (!answer || now - askedAt >= KEPT_MS) {
      askedAt = now;
      answer = probe(source);
    }
    return answer;
  };
}

async function probe(source: Pick<SubgraphSource, 'name' | 'ask'>): Promise<PartState> {
  try {
    const { errors = [] } = await source.ask(
      { query: '{ __typename }' },
      AbortSignal.timeout(DEADLINE_MS),
    );
    if (!errors.some(({ extensions }) => extensions?.['code'] === 'FORBIDDEN')) return OK;
    const reason = `the subgraph ${source.name} does not believe this gateway: set the same SUBGRAPH_SECRET on both`;
    return { state: 'degraded', reason };
  } catch {
    return { state: 'degraded', reason: `the subgraph ${source.name} does not answer` };
  }
}
