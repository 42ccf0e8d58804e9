import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authentication } from '@gudang/auth';
import type { Health, Logger, Stoppable } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { CloseCode, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AllowedOrigins } from '../../../allowed-origins.ts';
import { contextOf } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { ClientAddress } from '../../../limits/client-address.ts';
import type { WebsocketLimits } from '../../../limits/client-limits.ts';
import type { ConnectionLimits } from '../../../limits/connection-limits.ts';
import type { TokenChecks } from '../../../limits/token-checks.ts';
import type { LiveMetrics } from '../../fanout/live-metrics.ts';
import { paced } from '../../fanout/pacing.ts';
import { createClientSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { serveGraphqlWs } from './graphql-ws-protocol.ts';
import { type Liveness, watchLiveness } from './liveness.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { createSocketSession } from './socket-session.ts';
import { createFramer } from './websocket-frames.ts';

/** A client that has shown nothing of itself from one ping to the next has vanished. */
const PING_EVERY_MS = 12_000;
/** How long clients may take to say goodbye when the gateway stops. */
const GOODBYE_MS = 2_000;
const NOT_ACCEPTABLE = 4406;

const GOING_AWAY = new RequestError(503, 'The gateway stops: connect again', {
  code: 'GOING_AWAY',
  retryable: true,
});
const NO_SUCH_PAGE = new RequestError(404, 'The graph is at /graphql', { code: 'NOT_FOUND' });
const OTHER_ORIGIN = new RequestError(
  403,
  'Pages of this origin may not use the gateway: it is not in CORS_ORIGINS',
  { code: 'FORBIDDEN' },
);

type Connection = Parameters<typeof serveGraphqlWs>[0];

/** Takes websockets at `/graphql` of the server. */
export function startWebsockets({
  app,
  health,
  auth,
  origins,
  metrics,
  limits,
  connections,
  addresses,
  tokens,
  log,
  pingEveryMs = PING_EVERY_MS,
  ...serving
}: {
  app: FastifyInstance;
  health: Health;
  auth: Authentication;
  origins: Pick<AllowedOrigins, 'allows'>;
  metrics: LiveMetrics;
  limits: WebsocketLimits;
  connections: ConnectionLimits;
  addresses: Pick<ClientAddress, 'of'>;
  tokens: TokenChecks;
  log: Logger;
  pingEveryMs?: number;
} & Pick<
  Connection,
  'admission' | 'rate' | 'assertNotOverloaded' | 'execute' | 'live' | 'present'
>): Stoppable {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    handleProtocols,
  });
  const frame = createFramer();
  const livenesses = new WeakMap<WebSocket, Liveness>();
  const idleOf = new WeakMap<WebSocket, () => number>();
  let stopping = false;

  const serve = (
    socket: WebSocket,
    raw: Duplex,
    request: IncomingMessage,
    address: string,
  ): void => {
    metrics.clients.inc();
    const liveness = watchLiveness(request.socket);
    livenesses.set(socket, liveness);
    const client = createClientSocket(socket, raw);
    const { headers } = request;
    const connection = serveGraphqlWs({
      ...serving,
      address,
      maxOperations: limits.operations,
      initWithinMs: limits.initWithinMs,
      session: createSocketSession(
        auth,
        headers.authorization,
        (code, reason) => client.close(code, reason),
        tokens.of(address),
      ),
      contextOf: (identity) => contextOf(headers, identity),
      frame,
      socket: client,
    });
    idleOf.set(socket, connection.idleMs);
    // An exception in an event listener would end the process, and with it every connection.
    const guarded =
      <Arguments extends unknown[]>(handle: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        try {
          handle(...given);
        } catch (error) {
          log.error({ err: error }, 'handling a websocket failed; this connection is closed');
          socket.close(CloseCode.InternalServerError, 'Internal error');
        }
      };
    raw.on('drain', guarded(connection.onReady));
    socket.on('pong', liveness.heard);
    // ws closes by itself after an error, such as a message over the limit.
    socket.on('error', (error) => log.debug({ err: error }, 'a websocket failed'));
    const onClosed = guarded(connection.onClosed);
    socket.on('close', () => {
      metrics.clients.dec();
      onClosed();
    });
    const onMessage = guarded(connection.onMessage);
    socket.on('message', (data) => {
      liveness.heard();
      onMessage(String(data));
    });
    if (!socket.protocol) socket.close(NOT_ACCEPTABLE, 'Subprotocol not acceptable');
  };

  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!livenesses.get(socket)?.shown()) socket.terminate();
      else if ((idleOf.get(socket)?.() ?? 0) > limits.idleMs) {
        socket.close(LiveCloseCode.idle, 'Idle: connect again when there is something to ask');
      } else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, pingEveryMs);

  app.server.on('upgrade', (request, socket, head) => {
    if (stopping) return refuseUpgrade(socket, GOING_AWAY);
    if (request.url?.split('?')[0] !== '/graphql') return refuseUpgrade(socket, NO_SUCH_PAGE);
    // Browsers ask no leave for websockets: any page could use what its visitor may reach.
    if (!origins.allows(request.headers)) return refuseUpgrade(socket, OTHER_ORIGIN);
    const address = addresses.of(request);
    try {
      serving.assertNotOverloaded();
      socket.once('close', connections.enter(address));
      server.handleUpgrade(request, socket, head, (client) =>
        serve(client, socket, request, address),
      );
    } catch (error) {
      if (error instanceof RequestError) return refuseUpgrade(socket, error);
      log.error({ err: error }, 'opening a websocket failed; this connection is closed');
      socket.destroy();
    }
  });

  return {
    stop: async () => {
      stopping = true;
      health.drain();
      clearInterval(pings);
      const gone = [...server.clients].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      );
      // Clients of graphql-ws and Apollo come back after 1001, elsewhere if need be.
      await paced(server.clients, (socket) => socket.close(LiveCloseCode.goingAway, 'Going away'));
      const deadline = setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, GOODBYE_MS);
      await Promise.all(gone);
      clearTimeout(deadline);
    },
  };
}
