import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Health, Stoppable } from '@gudang/service';
import type { Authentication } from '@gudang/service/auth';
import type { FastifyInstance } from 'fastify';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AllowedOrigins } from '../allowed-origins.ts';
import { contextOf } from '../context.ts';
import { createClientSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { serveGraphqlWs } from './graphql-ws-protocol.ts';
import type { LiveMetrics } from './live-metrics.ts';
import { type Liveness, watchLiveness } from './liveness.ts';
import { paced } from './paced.ts';
import { createSocketSession } from './socket-session.ts';
import { createFramer } from './websocket-frames.ts';

/** The largest message that a client may send, in bytes; ws itself would take 100 MiB. */
const MESSAGE_LIMIT = 64 * 1024;
/** A client that has shown nothing of itself from one ping to the next has vanished. */
const PING_EVERY_MS = 12_000;
const INIT_WITHIN_MS = 10_000;
/** How long clients may take to say goodbye when the gateway stops. */
const GOODBYE_MS = 2_000;
const NOT_ACCEPTABLE = 4406;

type Connection = Parameters<typeof serveGraphqlWs>[0];

/** Takes websockets at `/graphql` of the server. */
export function startWebsockets({
  app,
  health,
  auth,
  origins,
  metrics,
  onProblem,
  pingEveryMs = PING_EVERY_MS,
  initWithinMs = INIT_WITHIN_MS,
  ...serving
}: {
  app: FastifyInstance;
  health: Health;
  auth: Authentication;
  origins: Pick<AllowedOrigins, 'allows'>;
  metrics: LiveMetrics;
  onProblem: (error: Error) => void;
  pingEveryMs?: number;
  initWithinMs?: number;
} & Pick<Connection, 'admission' | 'execute' | 'live' | 'present'>): Stoppable {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT,
    handleProtocols,
  });
  const frame = createFramer();
  const livenesses = new WeakMap<WebSocket, Liveness>();
  let stopping = false;

  const serve = (socket: WebSocket, raw: Duplex, request: IncomingMessage): void => {
    metrics.clients.inc();
    const liveness = watchLiveness(request.socket);
    livenesses.set(socket, liveness);
    const client = createClientSocket(socket, raw);
    const { headers } = request;
    const connection = serveGraphqlWs({
      ...serving,
      initWithinMs,
      session: createSocketSession(auth, headers.authorization, (code, reason) =>
        client.close(code, reason),
      ),
      contextOf: (identity) => contextOf(headers, identity),
      frame,
      socket: client,
    });
    raw.on('drain', connection.onReady);
    socket.on('pong', liveness.heard);
    // ws closes by itself after an error, such as a message over the limit.
    socket.on('error', onProblem);
    socket.on('close', () => {
      metrics.clients.dec();
      connection.onClosed();
    });
    socket.on('message', (data) => {
      liveness.heard();
      connection.onMessage(String(data));
    });
    if (!socket.protocol) socket.close(NOT_ACCEPTABLE, 'Subprotocol not acceptable');
  };

  const pings = setInterval(() => {
    for (const socket of server.clients) {
      if (!livenesses.get(socket)?.shown()) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, pingEveryMs);

  app.server.on('upgrade', (request, socket, head) => {
    if (stopping) return refuse(socket, '503 Service Unavailable');
    if (request.url?.split('?')[0] !== '/graphql') return refuse(socket, '404 Not Found');
    // Browsers ask no leave for websockets: any page could use what its visitor may reach.
    if (!origins.allows(request.headers)) return refuse(socket, '403 Forbidden');
    server.handleUpgrade(request, socket, head, (client) => serve(client, socket, request));
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

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
