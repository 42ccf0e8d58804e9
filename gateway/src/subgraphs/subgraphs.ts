import type { Health, Logger, Metrics, Stoppable } from '@gudang/runtime';
import type { HeaderForwarding, PrepareHeaders } from '../headers/forwarded-headers.ts';
import type { HeaderReturn } from '../headers/returned-headers.ts';
import type { Invalidation } from '../request-deduplication/invalidation.ts';
import type { SubgraphAddress } from './subgraph-addresses.ts';
import { createSubgraphMetrics } from './subgraph-metrics.ts';
import { createSubgraphProbe } from './subgraph-probe.ts';
import { type SubgraphSource, startSubgraphSource } from './subgraph-source.ts';

export interface Subgraphs extends Stoppable {
  /** Current sources by the subgraph's name in the supergraph. */
  readonly sources: Readonly<Record<string, SubgraphSource>>;
  /**
   * Replaces the addresses. Subgraphs without a new address remain usable until the returned
   * function is called.
   * @returns a function that removes the subgraphs without a new address
   */
  readonly use: (addresses: readonly SubgraphAddress[]) => () => void;
}

/**
 * Creates a source per subgraph and adds each subgraph to `/readyz`. A source connects at its first
 * request.
 */
export function startSubgraphs({
  addresses: first,
  secret,
  maxAnswerBytes,
  forwarding,
  prepare,
  returning,
  invalidation,
  health,
  metrics,
  log,
}: {
  addresses: readonly SubgraphAddress[];
  /** Secret that is sent to subgraphs that are not foreign. */
  secret: string | undefined;
  /** Maximum size of one answer of a subgraph. */
  maxAnswerBytes: number;
  /** Selects the clients' headers that subgraphs receive. */
  forwarding?: HeaderForwarding | undefined;
  /** Completes the headers of each request. */
  prepare?: PrepareHeaders | undefined;
  /** Selects the subgraphs' headers that clients receive. */
  returning?: HeaderReturn | undefined;
  invalidation: Pick<Invalidation, 'generation'>;
  health: Health;
  metrics: Metrics;
  log: Logger;
}): Subgraphs {
  const subgraphMetrics = createSubgraphMetrics(metrics);
  const sources: Record<string, SubgraphSource> = Object.create(null);
  const forget = new Map<string, () => void>();
  let wanted = new Set<string>();

  const finish = (source: SubgraphSource): void => {
    source.finish().catch((error: unknown) => {
      log.debug({ err: error, subgraph: source.name }, 'closing a replaced connection failed');
    });
  };
  const start = ({ name, url, foreign, limits }: SubgraphAddress): void => {
    const replaced = sources[name];
    if (replaced?.url === url) return;
    const source = startSubgraphSource({
      name,
      url,
      secret: foreign ? undefined : secret,
      limits,
      maxAnswerBytes,
      forwarding,
      prepare,
      select: returning?.from(name),
      invalidation,
      metrics: subgraphMetrics,
      log,
    });
    sources[name] = source;
    forget.set(name, health.watch(`subgraph ${name}`, createSubgraphProbe(source)));
    if (replaced) finish(replaced);
  };
  const removeUnused = (): void => {
    for (const [name, source] of Object.entries(sources)) {
      if (wanted.has(name)) continue;
      delete sources[name];
      forget.get(name)?.();
      finish(source);
    }
  };
  const use: Subgraphs['use'] = (addresses) => {
    wanted = new Set(addresses.map(({ name }) => name));
    for (const address of addresses) start(address);
    return removeUnused;
  };
  use(first);

  return {
    sources,
    use,
    stop: async () => {
      await Promise.all(Object.values(sources).map((source) => source.stop()));
    },
  };
}
