import type { Health } from '@gudang/runtime';
import type { SubgraphAddress } from '../subgraphs/subgraph-addresses.ts';
import { describeStatus, type StatusPart } from './describe-status.ts';
import { fetchSubgraphParts } from './subgraph-readiness.ts';

/** What `/status` answers. */
export interface Status {
  /** Whether the pages for exploring are served. */
  readonly explorers: boolean;
  readonly parts: readonly StatusPart[];
}

/** How long an answer counts, so that many open pages ask the subgraphs no more than one, in ms. */
const KEPT_MS = 1_000;

/** What is running, for people; asked only when a page asks. */
export function createStatus({
  addresses,
  health,
  explorers,
}: {
  addresses: readonly SubgraphAddress[];
  health: Health;
  explorers: boolean;
}): () => Promise<Status> {
  let askedAt = Number.NEGATIVE_INFINITY;
  let answer: Promise<Status> | undefined;
  const seen = new Set<string>();

  const look = async (): Promise<Status> => {
    const asked = addresses.map(
      async ({ name, url }) => [name, await fetchSubgraphParts(url)] as const,
    );
    const [report, parts] = await Promise.all([health.report(), Promise.all(asked)]);
    for (const [, named] of parts) for (const name of named.keys()) seen.add(name);
    return { explorers, parts: describeStatus(report, new Map(parts), seen) };
  };
  return () => {
    const now = performance.now();
    if (!answer || now - askedAt >= KEPT_MS) {
      askedAt = now;
      answer = look();
    }
    return answer;
  };
}
