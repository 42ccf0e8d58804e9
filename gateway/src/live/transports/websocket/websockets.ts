import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authentication } from '@gudang/auth';
import type { ClientAddress } from '@gudang/runtime';
import {
  type Health,
  type Logger,
  rejectHandshake,
  type Stoppable,
  sendRawAnswer,
  serveUpgrades,
} from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { CloseCode, handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { AllowedOrigins } from '../../../allowed-origins.ts';
import { contextOf } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { GatewayHeaders } from '../../../headers/gateway-headers.ts';
import type { ByteBudget } from '../../../limits/byte-budget.ts';
import type { WebsocketLimits } from '../../../limits/client-limits.ts';
import type { ConnectionLimits } from '../../../limits/connection-limits.ts';
import type { TokenChecks } from '../../../limits/token-checks.ts';
import type { LiveMetrics } from '../../fanout/live-metrics.ts';
import { paced } from '../../fanout/pacing.ts';
import { type PausableSocket, ReadTurns } from '../../upstream/turns.ts';
import { createClientSocket, type MessageSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { GraphqlWsConnection } from './graphql-ws-protocol.ts';
import { type Liveness, watchLiveness } from './liveness.ts';
import type { OperationsOptions } from './socket-operations.ts';
import { createSocketSession } from './socket-session.ts';
import { createFramers } from './websocket-frames.ts';

/**
 * Interval between pings, in milliseconds. A client that shows no sign of life during one interval
 * counts as vanished.
 */
const PING_EVERY_MS = 12_000;
/** Time-out for clients to answer a close frame, in milliseconds. */
const CLOSE_WITHIN_MS = 2_000;
/** Time after which a client from which the gateway has stopped reading is closed, in milliseconds. */
const PAUSE_LIMIT_MS = 30_000;
const NOT_ACCEPTABLE = 4406;
/** Close code for binary messages (RFC 6455, 7.4.1). */
const UNSUPPORTED_DATA = 1003;

const GOING_AWAY = new RequestError(503, 'The gateway is stopping. Reconnect.', {
  code: 'GOING_AWAY',
  retryable: true,
});
const NOT_FOUND = new RequestError(404, 'Websockets are served at /graphql.', {
  code: 'NOT_FOUND',
});
const FORBIDDEN_ORIGIN = new RequestError(
  403,
  'Pages of this origin may not use the gateway: it is not in CORS_ORIGINS.',
  { code: 'FORBIDDEN' },
);

type ServingOptions = Pick<
  OperationsOptions,
  'admission' | 'rate' | 'planning' | 'assertNotOverloaded' | 'requests' | 'live' | 'present'
>;

interface WebsocketOptions extends ServingOptions {
  readonly app: FastifyInstance;
  readonly health: Health;
  readonly auth: Authentication;
  readonly headers: Pick<GatewayHeaders, 'read'>;
  readonly origins: Pick<AllowedOrigins, 'allows'>;
  readonly metrics: LiveMetrics;
  readonly limits: WebsocketLimits;
  readonly connections: ConnectionLimits;
  readonly addresses: Pick<ClientAddress, 'of'>;
  readonly tokens: TokenChecks;
  readonly memory: Pick<ByteBudget, 'connection'>;
  readonly log: Logger;
  /** Interval between pings, in milliseconds; 12 s by default. */
  readonly pingEveryMs?: number;
  /**
   * Time after which a client from which the gateway has stopped reading is closed, in
   * milliseconds; 30 s by default.
   */
  readonly pauseLimitMs?: number;
}

interface ServedClient {
  readonly client: MessageSocket;
  readonly liveness: Liveness;
  readonly connection: GraphqlWsConnection;
}

/** Calls a function; an exception closes the websocket. */
/**
 * Pause between the turns of clients that send many messages, as a multiple of the time of a turn. These
 * messages thus take at most a quarter of the time.
 */
const PATIENCE = 3;
/** Turns in which the messages of all clients are handled. */
const READING = new ReadTurns(PATIENCE);

type Guard = (handle: () => unknown) => void;

/** Serves websockets at `/graphql` of an HTTP server. */
export function startWebsockets(options: WebsocketOptions): Stoppable {
  return new Websockets(options);
}

class Websockets implements Stoppable {
  readonly #options: WebsocketOptions;
  readonly #server: WebSocketServer;
  readonly #clients = new WeakMap<WebSocket, ServedClient>();
  readonly #framers = createFramers();
  readonly #pings: NodeJS.Timeout;
  #isStopping = false;

  constructor(options: WebsocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: options.limits.messageBytes,
      handleProtocols,
      ...{ closeTimeout: CLOSE_WITHIN_MS },
    });
    this.#server.on('wsClientError', rejectHandshake);
    serveUpgrades(
      options.app,
      (request, socket, head) => this.#upgrade(request, socket, head),
      options.log,
    );
    this.#pings = setInterval(() => this.#ping(), options.pingEveryMs ?? PING_EVERY_MS);
  }

  async stop(): Promise<void> {
    const { clients } = this.#server;
    this.#isStopping = true;
    this.#options.health.drain();
    clearInterval(this.#pings);
    const closed = [...clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    // Clients of graphql-ws and Apollo reconnect after 1001, if necessary to another instance.
    await paced(clients, (socket) =>
      this.#clients.get(socket)?.client.close(LiveCloseCode.goingAway, 'Going away'),
    );
    await Promise.all(closed);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { addresses, connections, origins, assertNotOverloaded } = this.#options;
    try {
      if (this.#isStopping) throw GOING_AWAY;
      if (request.url?.split('?')[0] !== '/graphql') throw NOT_FOUND;
      // Browsers send no preflight for websockets, so any page could read everything that its
      // visitor may read if the origin were not checked here.
      if (!origins.allows(request.headers)) throw FORBIDDEN_ORIGIN;
      const address = addresses.of(request);
      assertNotOverloaded();
      socket.once('close', connections.enter(address));
      this.#server.handleUpgrade(request, socket, head, (client) =>
        this.#serve(client, socket, request, address),
      );
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      const { status, retryAfterS } = error;
      const headers = retryAfterS === undefined ? {} : { 'retry-after': retryAfterS };
      sendRawAnswer(socket, status, { errors: [error.toJSON()] }, headers);
    }
  }

  #serve(socket: WebSocket, raw: Duplex, request: IncomingMessage, address: string): void {
    const { auth, limits, log, tokens } = this.#options;
    const { read } = this.#options.headers;
    const { headers } = request;
    const onDefect = (error: unknown): void => {
      log.error({ err: error }, 'handling a websocket failed; its connection is closed');
      client.close(CloseCode.InternalServerError, 'Internal error');
    };
    // Without this function, an exception in an event listener would end the process and thus every
    // connection.
    const guarded: Guard = (handle) => {
      try {
        const result = handle();
        if (result instanceof Promise) result.catch(onDefect);
      } catch (error) {
        onDefect(error);
      }
    };
    const client: MessageSocket = createClientSocket(socket, raw, () =>
      queueMicrotask(() => guarded(() => connection.onClosing())),
    );
    const connection = new GraphqlWsConnection({
      ...this.#options,
      address,
      maxOperations: limits.operations,
      messageBytes: limits.messageBytes,
      onDefect,
      pauseLimitMs: this.#options.pauseLimitMs ?? PAUSE_LIMIT_MS,
      initWithinMs: limits.initWithinMs,
      session: createSocketSession(
        auth,
        headers.authorization,
        (code, reason) => client.close(code, reason),
        tokens.of(address),
      ),
      contextOf: (identity, params) =>
        contextOf(headers, identity, address, read?.(headers, identity, params)),
      framers: this.#framers,
      socket: client,
    });
    const served = { client, liveness: watchLiveness(request.socket), connection };
    this.#clients.set(socket, served);
    raw.on('drain', () => guarded(() => connection.onReady()));
    this.#listen(socket, served, guarded);
    if (!socket.protocol) client.close(NOT_ACCEPTABLE, 'Subprotocol not acceptable');
  }

  #listen(socket: WebSocket, { client, liveness, connection }: ServedClient, guarded: Guard): void {
    const { log, metrics } = this.#options;
    metrics.clients.inc();
    socket.on('pong', () => {
      liveness.heard();
      guarded(() => connection.onControl());
    });
    socket.on('ping', () => guarded(() => connection.onControl()));
    // ws itself closes the websocket after an error, such as a message over the limit.
    socket.on('error', (error) => {
      log.debug({ err: error }, 'a websocket failed; ws closes it');
      guarded(() => connection.onClosing());
    });
    socket.on('close', () => {
      metrics.clients.dec();
      guarded(() => connection.onClosed());
    });
    const reading: PausableSocket = {
      pause: () => socket.pause(),
      resume: () => {
        if (!connection.isPaused) socket.resume();
      },
    };
    socket.on('message', (data, isBinary) => {
      // ws still emits messages that arrive between both close frames.
      if (socket.readyState !== socket.OPEN) return;
      liveness.heard();
      if (isBinary) client.close(UNSUPPORTED_DATA, 'Messages are text');
      else READING.run(reading, () => guarded(() => connection.onMessage(String(data))));
    });
  }

  /** Terminates clients that have vanished, closes idle ones, and pings the others. */
  #ping(): void {
    for (const socket of this.#server.clients) {
      const client = this.#clients.get(socket);
      // A client from which the gateway does not read cannot show that it is alive.
      if (client?.connection.isPaused) client.liveness.heard();
      if (!client?.liveness.check()) socket.terminate();
      else if (client.connection.idleMs > this.#options.limits.idleMs) {
        client.client.close(LiveCloseCode.idle, 'Idle: reconnect when needed');
      } else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }
}
