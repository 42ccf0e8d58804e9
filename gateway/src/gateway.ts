import { createAuthentication, createTickets } from '@gudang/auth';
import {
  createHealth,
  createHttpServer,
  createMetrics,
  maskErrors,
  type ProcessContext,
  type RunningHttp,
  startHttp,
} from '@gudang/runtime';
import type { GraphQLError } from 'graphql';
import { createAllowedOrigins, serveCors } from './allowed-origins.ts';
import { createRequestCallers } from './auth/request-callers.ts';
import { serveTickets } from './auth/serve-tickets.ts';
import { createPersistedQueries } from './documents/persisted-queries.ts';
import { loadSafelist } from './documents/safelist.ts';
import { presentErrors } from './errors/present-errors.ts';
import { createAdmission } from './limits/admission.ts';
import { createClientLimits } from './limits/client-limits.ts';
import { guardSockets } from './limits/guard-sockets.ts';
import { readOperationLimits } from './limits/operation-limits.ts';
import { watchOverload } from './limits/overload.ts';
import { createLiveMetrics } from './live/fanout/live-metrics.ts';
import { StreamRegistry } from './live/fanout/stream-registry.ts';
import { startHttpStreams } from './live/transports/http/http-streams.ts';
import { startWebsockets } from './live/transports/websocket/websockets.ts';
import { createLiveGraph, type LiveGraph } from './live/upstream/live-graph.ts';
import { startUpstreams } from './live/upstream/upstreams.ts';
import { servePages } from './pages/serve-pages.ts';
import { createInvalidation } from './request-deduplication/invalidation.ts';
import { startGraphqlEndpoint } from './request-pipeline/graphql-endpoint.ts';
import type { gatewaySettings } from './settings.ts';
import { type SubgraphAddress, subgraphAddresses } from './subgraphs/subgraph-addresses.ts';
import { startSubgraphs } from './subgraphs/subgraphs.ts';
import { type LoadedSupergraph, loadSupergraph } from './supergraph.ts';
import { createSupergraphChange } from './supergraph-change.ts';
import { startSupergraphFile } from './supergraph-file.ts';

type GatewayProcess = Omit<ProcessContext<typeof gatewaySettings>, 'name' | 'fail'>;

/** The gateway's parts, in the order in which they start; they stop in the opposite one. */
export async function startGateway({
  settings,
  log,
  started,
}: GatewayProcess): Promise<RunningHttp> {
  const { EXPLORE: explore = settings.NODE_ENV !== 'production' } = settings;
  const health = createHealth();
  const metrics = createMetrics('gateway');
  const invalidation = createInvalidation();

  const supergraph = await loadSupergraph(settings.SUPERGRAPH);
  const limits = readOperationLimits(settings);
  const { TRUSTED_DOCUMENTS: manifest } = settings;
  const documents = manifest ? await loadSafelist(manifest) : createPersistedQueries();
  const admission = createAdmission({ graph: supergraph, documents, limits });
  const { SUBGRAPH_TIMEOUT_MS: timeoutMs, SUBGRAPH_SECRET: [secret] = [] } = settings;
  const addressesOf = (loaded: LoadedSupergraph): SubgraphAddress[] =>
    subgraphAddresses(
      loaded.subgraphs,
      settings.SUBGRAPH_URLS,
      settings.SUBGRAPH_WS_URLS,
      settings.FOREIGN_SUBGRAPHS,
    );
  const addresses = addressesOf(supergraph);
  const subgraphs = started(
    'subgraphs',
    startSubgraphs({ addresses, secret, timeoutMs, invalidation, health, metrics, log }),
  );

  const reconnectLimitMs = settings.LIVE_RECONNECT_LIMIT_S * 1000;
  const upstreams = started(
    'upstreams',
    startUpstreams({ addresses, secret, reconnectLimitMs, log }),
  );
  const liveMetrics = createLiveMetrics(metrics, upstreams.count);
  const { sources } = subgraphs;
  const graphOf = (loaded: LoadedSupergraph): LiveGraph =>
    createLiveGraph({ supergraph: loaded, sources, hideSuggestions: !explore, log });
  const live = new StreamRegistry({
    graph: graphOf(supergraph),
    upstreams,
    limits: {
      queue: { messages: settings.LIVE_QUEUE_MESSAGES, bytes: settings.LIVE_QUEUE_KIB * 1024 },
      catchUps: settings.LIVE_CATCH_UPS,
      retained: settings.LIVE_RETAINED,
      history: settings.LIVE_HISTORY_KIB * 1024,
    },
    metrics: liveMetrics,
    onEvent: invalidation.eventReceived,
    log,
  });

  const auth = createAuthentication(settings, log);
  const bodyBytes = settings.LIMIT_BODY_KIB * 1024;
  const tickets = createTickets(settings.SUBGRAPH_SECRET ?? []);
  const app = createHttpServer({ health, metrics });
  maskErrors(app, log);
  const clients = createClientLimits(settings, metrics);
  const callers = createRequestCallers(auth, tickets, clients);
  guardSockets(app.server, clients.sockets, clients.addresses);
  const origins = createAllowedOrigins(settings.CORS_ORIGINS, explore);
  await serveCors(app, origins);
  if (settings.PAGES) await servePages({ app, addresses, health, explorers: explore, log });
  const endpoint = started(
    'graphql',
    await startGraphqlEndpoint({
      app,
      supergraph,
      subgraphs,
      invalidation,
      explore,
      documents,
      limits: { tokens: limits.tokens, bodyBytes },
      metrics,
      log,
    }),
  );
  const assertNotOverloaded = await watchOverload(app, settings.SHED_DELAY_MS, metrics);
  const serving = {
    health,
    auth,
    callers,
    origins,
    metrics: liveMetrics,
    ...clients,
    assertNotOverloaded,
    admission,
    live,
    execute: endpoint.execute,
    present: (errors: readonly GraphQLError[]) => presentErrors(errors, log),
  };
  const streams = startHttpStreams(serving);
  endpoint.serve(streams, callers, assertNotOverloaded);
  if (auth.on) serveTickets(app, callers, tickets, { ...clients, bodyBytes });
  const websockets = startWebsockets({
    ...serving,
    app,
    limits: clients.websocket,
    log,
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
  const use = createSupergraphChange({
    supergraph,
    addressesOf,
    subgraphs,
    endpoint,
    admission,
    upstreams,
    live,
    graphOf,
  });
  const { SUPERGRAPH: path } = settings;
  started(
    'supergraph',
    startSupergraphFile({ path, current: supergraph.sdl, use, health, metrics, log }),
  );
  // Noted last, though ready before the port was open: clients of live streams leave first.
  started('streams', {
    stop: async () => void (await Promise.all([streams.stop(), websockets.stop()])),
  });
  return http;
}
