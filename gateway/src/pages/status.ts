import type { Health } from '@gudang/runtime';
import type { SubgraphAddress } from '../subgraphs/subgraph-addresses.ts';
import { describeStatus, type StatusPart, unavailableSubgraphs } from './describe-status.ts';
import { fetchSubgraphParts } from './subgraph-readiness.ts';

/** Response of `/status`. */
export interface Status {
  /** Whether GraphiQL and Sandbox are served. */
  readonly explorers: boolean;
  /** Whether `/journeys` is served. */
  readonly journeys: boolean;
  /** Names of the subgraphs that cannot answer now. */
  readonly unavailable: readonly string[];
  readonly parts: readonly StatusPart[];
}

/**
 * Time for which a response is cached, in milliseconds, so that all open pages share the requests
 * to subgraphs.
 */
const CACHE_MS = 1_000;

/**
 * Creates the function that collects the state of the system for the pages. It collects the state
 * only when a page requests it.
 */
export function createStatus({
  addresses,
  health,
  explorers,
  journeys,
}: {
  addresses: readonly SubgraphAddress[];
  health: Health;
  explorers: boolean;
  journeys: boolean;
}): () => Promise<Status> {
  let collectedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<Status> | undefined;
  const seen = new Set<string>();

  const collect = async (): Promise<Status> => {
    const requests = addresses.map(
      async ({ name, url }) => [name, await fetchSubgraphParts(url)] as const,
    );
    const [report, answers] = await Promise.all([health.report(), Promise.all(requests)]);
    const subgraphs = new Map(answers);
    for (const named of subgraphs.values()) for (const name of named.keys()) seen.add(name);
    const unavailable = unavailableSubgraphs(report, subgraphs);
    return { explorers, journeys, unavailable, parts: describeStatus(report, subgraphs, seen) };
  };
  return () => {
    const now = performance.now();
    if (!answer || now - collectedAt >= CACHE_MS) {
      collectedAt = now;
      answer = collect();
    }
    return answer;
  };
}
