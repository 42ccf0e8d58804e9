import type { Health, Logger, Metrics, Stoppable } from '@gudang/service';
import type { SubgraphAddress } from './subgraph-addresses.ts';
import { createSubgraphMetrics } from './subgraph-metrics.ts';
import { createSubgraphProbe } from './subgraph-probe.ts';
import { type SubgraphSource, startSubgraphSource } from './subgraph-source.ts';

export interface Subgraphs extends Stoppable {
  /** By the subgraph's name in the supergraph. */
  readonly sources: Readonly<Record<string, SubgraphSource>>;
}

/** Connections to all subgraphs, opened when first used; each is named in `/readyz`. */
export function startSubgraphs({
  addresses,
  timeoutMs,
  health,
  metrics,
  log,
}: {
  addresses: readonly SubgraphAddress[];
  timeoutMs: number;
  health: Health;
  metrics: Metrics;
  log: Logger;
}): Subgraphs {
  const subgraphMetrics = createSubgraphMetrics(metrics);
  const sources: Record<string, SubgraphSource> = Object.create(null);
  for (const { name, url } of addresses) {
    const source = startSubgraphSource({ name, url, timeoutMs, metrics: subgraphMetrics, log });
    sources[name] = source;
    health.watch(`subgraph ${name}`, createSubgraphProbe(source));
  }
  return {
    sources,
    stop: async () => {
      await Promise.all(Object.values(sources).map((source) => source.stop()));
    },
  };
}
