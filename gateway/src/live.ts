import type { ClientLimits } from './limits/client-limits.ts';
import { createLiveMetrics, type LiveMetrics } from './live/fanout/live-metrics.ts';
import { StreamRegistry } from './live/fanout/stream-registry.ts';
import { createLiveGraph } from './live/upstream/live-graph.ts';
import { startUpstreams, type Upstreams } from './live/upstream/upstreams.ts';
import { observeEvents } from './plugins/observe-live.ts';
import type { GatewayRuntime } from './runtime.ts';
import type { SubgraphAddress } from './subgraphs/subgraph-addresses.ts';
import type { Subgraphs } from './subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from './supergraph.ts';

/** Live streams of all protocols. */
export interface Live {
  readonly streams: StreamRegistry;
  readonly metrics: LiveMetrics;
  /**
   * Prepares a new supergraph for use by streams.
   * @returns a function that switches all streams to this supergraph
   * @throws if the supergraph cannot be used
   */
  readonly prepare: (
    supergraph: LoadedSupergraph,
  ) => (addresses: readonly SubgraphAddress[]) => Promise<void>;
}

export function startLive(
  runtime: GatewayRuntime,
  supergraph: LoadedSupergraph,
  { sources }: Pick<Subgraphs, 'sources'>,
  { planning, replays }: Pick<ClientLimits, 'planning' | 'replays'>,
): Live {
  const { settings, secret, log } = runtime;
  const upstreams: Upstreams = runtime.started(
    'upstreams',
    startUpstreams({
      addresses: runtime.addressesOf(supergraph),
      secret,
      reconnectLimitMs: settings.LIVE_RECONNECT_LIMIT_S * 1000,
      maxConnections: settings.LIVE_UPSTREAMS,
      prepare: runtime.headers.prepare,
      log,
    }),
  );
  const metrics = createLiveMetrics(runtime.metrics, upstreams.count);
  const graphOf = (loaded: LoadedSupergraph) => {
    const graph = createLiveGraph({
      supergraph: loaded,
      sources,
      hideSuggestions: !runtime.explore,
      planning,
      shares: settings.OVERRIDE_LABELS,
      log,
    });
    return { ...graph, execute: observeEvents(graph.execute, runtime.plugins.live) };
  };
  const streams = new StreamRegistry({
    graph: graphOf(supergraph),
    upstreams,
    limits: {
      queue: { messages: settings.LIVE_QUEUE_MESSAGES, bytes: settings.LIVE_QUEUE_KIB * 1024 },
      catchUps: settings.LIVE_CATCH_UPS,
      replays,
      retained: settings.LIVE_RETAINED,
      history: settings.LIVE_HISTORY_KIB * 1024,
    },
    metrics,
    onEvent: runtime.invalidation.eventReceived,
    log,
  });
  return {
    streams,
    metrics,
    prepare: (next) => {
      const graph = graphOf(next);
      return (addresses) => {
        upstreams.use(addresses);
        return streams.use(graph);
      };
    },
  };
}
