import {
  createAllowedHosts,
  createHttpServer,
  maskErrors,
  type RunningHttp,
  type Stoppable,
  startHttp,
} from '@gudang/runtime';
import type { GraphQLError } from 'graphql';
import { serveCors } from './allowed-origins.ts';
import { serveTickets } from './auth/serve-tickets.ts';
import { presentErrors } from './errors/present-errors.ts';
import type { Execution } from './execution.ts';
import { serveGraphql } from './graphql-endpoint.ts';
import type { Admission } from './limits/admission.ts';
import { guardSockets } from './limits/guard-sockets.ts';
import { watchOverload } from './limits/overload.ts';
import { HttpStreams } from './live/transports/http/http-streams.ts';
import { startWebsockets } from './live/transports/websocket/websockets.ts';
import type { Live } from './live.ts';
import { serveJourneys } from './pages/serve-journeys.ts';
import { servePages } from './pages/serve-pages.ts';
import { observeSubscriptions } from './plugins/observe-live.ts';
import type { Requests } from './requests.ts';
import type { GatewayRuntime } from './runtime.ts';
import type { SubgraphAddress } from './subgraphs/subgraph-addresses.ts';

interface Serving {
  readonly addresses: readonly SubgraphAddress[];
  readonly requests: Requests;
  readonly admission: Admission;
  readonly execution: Execution;
  readonly live: Live;
}

export interface HttpPart {
  readonly running: RunningHttp;
  /**
   * Live streams of all protocols. Stop them first, so that their clients reconnect to another
   * gateway.
   */
  readonly streams: Stoppable;
}

/** Serves the pages, `/graphql` on every protocol, tickets, health and metrics on one port. */
export async function startGatewayHttp(
  {
    settings,
    started,
    health,
    headers,
    plugins,
    metrics,
    explore,
    journeysUrl,
    log,
  }: GatewayRuntime,
  { addresses, requests, admission, execution, live }: Serving,
): Promise<HttpPart> {
  const { auth, callers, clients, origins, tickets } = requests;
  const bodyBytes = settings.LIMIT_BODY_KIB * 1024;
  const app = createHttpServer({ health, metrics, hosts: createAllowedHosts(settings) });
  maskErrors(app, log);
  guardSockets(app.server, clients.sockets, clients.addresses);
  await serveCors(app, origins, headers.exposed);
  if (settings.PAGES) {
    const journeys = journeysUrl !== undefined;
    await servePages({ app, addresses, health, explorers: explore, journeys, log });
    if (journeys) serveJourneys(app, { url: journeysUrl, auth, callers });
  }
  const assertNotOverloaded = await watchOverload(app, settings.SHED_DELAY_MS, metrics);
  const present = (errors: readonly GraphQLError[]) => presentErrors(errors, log);
  const serving = {
    health,
    auth,
    origins,
    metrics: live.metrics,
    ...clients,
    assertNotOverloaded,
    headers,
    admission,
    live: observeSubscriptions(live.streams, plugins.live, present),
    requests: execution.requests,
    present,
  };
  const streams = new HttpStreams(serving);
  serveGraphql(app, { ...serving, callers, streams, bodyBytes });
  if (auth.on) serveTickets(app, callers, tickets, { ...clients, bodyBytes });
  const websockets = startWebsockets({
    ...serving,
    app,
    limits: clients.websocket,
    log,
  });
  const running = started(
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
  return {
    running,
    streams: { stop: async () => void (await Promise.all([streams.stop(), websockets.stop()])) },
  };
}
