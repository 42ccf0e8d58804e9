import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyServerOptions,
  fastify,
} from 'fastify';
import { pause } from '../backoff.ts';
import { StartError } from '../errors.ts';
import type { Health } from '../health.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { Stoppable } from '../stoppable.ts';
import { type AllowedHosts, ANY_HOST, MisdirectedRequest } from './allowed-hosts.ts';
import { guardBodies } from './body-guard.ts';
import { isLargeAnswer, readInParts } from './large-answers.ts';
import { answerClientError, DEFAULT_HEADERS } from './raw-answer.ts';
import { closeUnread } from './unread-answers.ts';

/** Maximum size of a request body, in bytes. */
export const BODY_LIMIT = 256 * 1024;

/** Maximum length of a parameter in a URL's path, in UTF-16 units. An id has at most 200 units. */
const PARAMETER_LIMIT = 1_000;

/** Time-out of requests in flight when the server stops, in milliseconds. */
const CLOSE_WITHIN_MS = 12_000;

/** Time-out of connections without a request when the server stops, in milliseconds. */
const FIRST_REQUEST_WITHIN_MS = 2_000;

/** Time-outs for receiving the headers of a request and the whole request, in milliseconds. */
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 30_000;
/** Interval between two checks of these time-outs, in milliseconds. */
const CHECK_INTERVAL_MS = 2_000;

declare module 'fastify' {
  interface FastifyInstance {
    /** Hosts for which the server answers, at any path and protocol. */
    readonly allowedHosts: AllowedHosts;
  }
}

/**
 * Creates a server with `/healthz`, `/readyz` and `/metrics`. It does not listen yet.
 * @param hosts hosts for which the server answers; it rejects other requests with status 421. Default:
 *   every host
 * @param frameworkErrors handles requests whose URL cannot be read
 */
export function createHttpServer({
  health,
  metrics,
  hosts = ANY_HOST,
  frameworkErrors = (error, _request, reply) => sendUnreadableUrl(error, reply),
}: {
  health: Health;
  metrics: Metrics;
  hosts?: AllowedHosts;
} & Pick<FastifyServerOptions, 'frameworkErrors'>): FastifyInstance {
  const app = fastify({
    // Fastify calls no hooks for these errors.
    frameworkErrors: (error, request, reply) => {
      void reply.headers(DEFAULT_HEADERS);
      frameworkErrors(error, request, reply);
    },
    clientErrorHandler: answerClientError,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_WITHIN_MS,
    http: { headersTimeout: HEADERS_WITHIN_MS, connectionsCheckingInterval: CHECK_INTERVAL_MS },
    routerOptions: { maxParamLength: PARAMETER_LIMIT },
    forceCloseConnections: 'idle',
    // Requests that were already read are still served while the server closes.
    return503OnClosing: false,
  });
  guardBodies(app);
  closeUnread(app.server);
  app.decorate('allowedHosts', hosts);
  if (hosts !== ANY_HOST) {
    app.addHook('onRequest', ({ headers, routeOptions }, _reply, done) => {
      if (hosts.allows(headers.host, routeOptions.url)) done();
      else done(new MisdirectedRequest());
    });
  }
  // With `connection: close`, clients reconnect to another process before this process closes their
  // connections.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (health.isDraining()) reply.header('connection', 'close');
    for (const [name, value] of Object.entries(DEFAULT_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    if (typeof payload !== 'string' || !isLargeAnswer(payload)) done(null, payload);
    else {
      reply.header('content-length', Buffer.byteLength(payload));
      done(null, readInParts(payload));
    }
  });
  app.get('/healthz', () => ({ status: 'alive' }));
  app.get('/readyz', async (_request, reply) => {
    const report = await health.report();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/metrics', async (_request, reply) => {
    const { body, contentType } = await metrics.render();
    return reply.header('content-type', contentType).send(body);
  });
  return app;
}

function sendUnreadableUrl({ statusCode = 400 }: FastifyError, reply: FastifyReply): void {
  const message = 'The request target must be valid percent-encoded UTF-8';
  void reply.code(statusCode).send({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
}

/**
 * A listening server. `stop` first drains the server: for `drainMs`, it still serves requests, with
 * status 503 at `/readyz` and `connection: close` in every response. The server then rejects new
 * connections and finishes the requests that it has already read.
 */
export interface RunningHttp extends Stoppable {
  /** The address: `http://127.0.0.1:8000`. */
  readonly url: string;
}

/** @throws {StartError} if the port is in use or the address does not belong to this machine */
export async function startHttp({
  app,
  host,
  port,
  drainMs,
  log,
  health,
}: {
  app: FastifyInstance;
  host: string;
  port: number;
  /** Time during which requests are still served after the start of the shutdown, in milliseconds. */
  drainMs: number;
  log: Logger;
  health: Health;
}): Promise<RunningHttp> {
  const closeUnused = trackUnusedConnections(app.server);
  try {
    const url = await app.listen({ host, port });
    log.info({ url }, `listening on ${url}`);
    return {
      url,
      stop: async () => {
        health.drain();
        await pause(drainMs);
        const closed = app.close();
        // On a new connection, the first request may still be in transit. Unused connections are
        // therefore closed only after a delay.
        const unused = setTimeout(closeUnused, FIRST_REQUEST_WITHIN_MS);
        // After this deadline, all connections are closed, even if a client is still sending a request.
        const deadline = setTimeout(() => app.server.closeAllConnections(), CLOSE_WITHIN_MS);
        await closed;
        clearTimeout(unused);
        clearTimeout(deadline);
      },
    };
  } catch (error) {
    throw new StartError(listenProblem(error as NodeJS.ErrnoException, host, port));
  }
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken: end the program that uses it, or set PORT to another port`;
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `HOST: ${host} is not an address of this machine; use 127.0.0.1 or 0.0.0.0`;
  }
  if (error.code === 'EACCES')
    return `Port ${port} needs privileges that this process does not have: set PORT to another port`;
  return `Could not listen on ${host}:${port}: ${error.message}`;
}

/**
 * Tracks connections on which no request was sent. Browsers open such connections in advance. Node's
 * closeIdleConnections does not close them, and a single such connection would delay the end of the
 * process.
 * @returns a function that closes them
 */
function trackUnusedConnections(server: Server): () => void {
  const unused = new Set<Socket>();
  server.on('connection', (socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }) => unused.delete(socket));
  server.on('upgrade', ({ socket }) => unused.delete(socket));
  return () => {
    for (const socket of unused) socket.destroy();
  };
}
