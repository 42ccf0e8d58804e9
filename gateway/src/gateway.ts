import {
  createHealth,
  createHttpServer,
  createMetrics,
  type ProcessContext,
  type RunningHttp,
  startHttp,
} from '@gudang/service';
import type { GraphQLError } from 'graphql';
import { presentErrors } from './errors/present-errors.ts';
import { startGraphqlEndpoint } from './graphql-endpoint.ts';
import { createEventExecutor } from './live/event-executor.ts';
import { startHttpStreams } from './live/http-streams.ts';
import { createLiveMetrics } from './live/live-metrics.ts';
import { createLiveStreams } from './live/live-streams.ts';
import { createOperationReader } from './live/operation-reader.ts';
import { createSubscriptionPlanner } from './live/subscription-plan.ts';
import { startUpstreams } from './live/upstream.ts';
import { startWebsockets } from './live/websockets.ts';
import type { gatewaySettings } from './settings.ts';
import { subgraphAddresses } from './subgraphs/subgraph-addresses.ts';
import { startSubgraphs } from './subgraphs/subgraphs.ts';
import { readSupergraph } from './supergraph.ts';

type GatewayProcess = Omit<ProcessContext<typeof gatewaySettings>, 'fail'>;

/** The gateway's parts, in the order in which they start; they stop in the opposite one. */
export async function startGateway({
  settings,
  log,
  started,
}: GatewayProcess): Promise<RunningHttp> {
  const production = settings.NODE_ENV === 'production';
  const health = createHealth();
  const metrics = createMetrics('gateway');
  const read = createOperationReader();

  const supergraph = await readSupergraph(settings.SUPERGRAPH);
  const { SUBGRAPH_URLS, SUBGRAPH_WS_URLS, SUBGRAPH_TIMEOUT_MS: timeoutMs } = settings;
  const addresses = subgraphAddresses(supergraph.subgraphs, SUBGRAPH_URLS, SUBGRAPH_WS_URLS);
  const subgraphs = started(
    'subgraphs',
    startSubgraphs({ addresses, timeoutMs, health, metrics, log }),
  );

  const reconnectLimitMs = settings.LIVE_RECONNECT_LIMIT_S * 1000;
  const upstreams = started('upstreams', startUpstreams({ addresses, reconnectLimitMs, log }));
  const liveMetrics = createLiveMetrics(metrics, upstreams.count);
  const planner = createSubscriptionPlanner(supergraph, { hideSuggestions: production });
  const execute = createEventExecutor({ supergraph, sources: subgraphs.sources, log });
  const live = createLiveStreams({
    supergraph,
    planner,
    upstreams,
    execute,
    limits: {
      queue: { messages: settings.LIVE_QUEUE_MESSAGES, bytes: settings.LIVE_QUEUE_KIB * 1024 },
      catchUps: settings.LIVE_CATCH_UPS,
      retained: settings.LIVE_RETAINED,
      history: settings.LIVE_HISTORY_KIB * 1024,
    },
    metrics: liveMetrics,
    log,
  });

  const app = createHttpServer({ health, metrics });
  const endpoint = started(
    'graphql',
    await startGraphqlEndpoint({ app, supergraph, subgraphs, production, metrics, log }),
  );
  const serving = {
    health,
    metrics: liveMetrics,
    read,
    live,
    execute: endpoint.execute,
    present: (errors: readonly GraphQLError[]) => presentErrors(errors, log),
  };
  const streams = startHttpStreams(serving);
  endpoint.serve(streams);
  const websockets = startWebsockets({
    ...serving,
    app,
    onProblem: (error) => log.debug({ err: error }, 'a websocket broke'),
  });
  const http = started(
    'http',
    await startHttp({
      app,
      host: settings.HOST,
      port: settings.PORT,
      drainMs: settings.DRAIN_MS,
      log,
      health,
    }),
  );
  // Noted last, though ready before the port was open: clients of live streams leave first.
  started('streams', {
    stop: async () => void (await Promise.all([streams.stop(), websockets.stop()])),
  });
  return http;
}
