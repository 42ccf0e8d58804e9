import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import { pause } from '../backoff.ts';
import type { Health } from '../health.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { StartError } from '../start-error.ts';
import type { Stoppable } from '../stoppable.ts';
import { ANSWER_HEADERS } from './answer-headers.ts';
import { trackSilentSockets } from './silent-sockets.ts';

/** The largest request body that is read, in bytes. */
export const BODY_LIMIT = 256 * 1024;

/** The longest part of an address that a route takes, in UTF-16 units: an id has at most 200. */
const PARAMETER_LIMIT = 1_000;

/** How long what is in flight may take when the server stops, in milliseconds. */
const CLOSE_WITHIN_MS = 12_000;

/** How long a new connection may take to its first request then. */
const ASKS_WITHIN_MS = 2_000;

/** How long a request's headers, and all of it, may take to come, in milliseconds. */
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 30_000;
/** How often that is looked at. */
const LOOK_EVERY_MS = 2_000;

/**
 * A server with `/healthz`, `/readyz` and `/metrics`, not yet listening.
 * @param frameworkErrors answers requests whose address fits no route because it cannot be read
 */
export function createHttpServer({
  health,
  metrics,
  ...options
}: {
  health: Health;
  metrics: Metrics;
} & Pick<FastifyServerOptions, 'frameworkErrors'>): FastifyInstance {
  const app = fastify({
    ...options,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_WITHIN_MS,
    http: { headersTimeout: HEADERS_WITHIN_MS, connectionsCheckingInterval: LOOK_EVERY_MS },
    routerOptions: { maxParamLength: PARAMETER_LIMIT },
    forceCloseConnections: 'idle',
    // A request that was read is answered, also while the server closes.
    return503OnClosing: false,
  });
  // Whoever keeps connections opens the next one elsewhere, before this one is closed under a request.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (health.isDraining()) reply.header('connection', 'close');
    for (const [name, value] of Object.entries(ANSWER_HEADERS)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    done(null, payload);
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

/**
 * The server listening. Stopping goes on to answer for a while, at `/readyz` with 503 and everywhere
 * with `connection: close`; then it refuses new connections and answers what it has read.
 */
export interface RunningHttp extends Stoppable {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string;
}

/** @throws {StartError} when the port is taken or the address is not this machine's */
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
  /** How long load balancers and clients with open connections get to look elsewhere, in milliseconds. */
  drainMs: number;
  log: Logger;
  health: Health;
}): Promise<RunningHttp> {
  const closeSilent = trackSilentSockets(app.server);
  try {
    const url = await app.listen({ host, port });
    log.info({ url }, `listening on ${url}`);
    return {
      url,
      stop: async () => {
        health.drain();
        await pause(drainMs);
        const closed = app.close();
        // Its request may be on its way.
        const silence = setTimeout(closeSilent, ASKS_WITHIN_MS);
        // Whoever is still sending a request has had the time of any answer.
        const deadline = setTimeout(() => app.server.closeAllConnections(), CLOSE_WITHIN_MS);
        await closed;
        clearTimeout(silence);
        clearTimeout(deadline);
      },
    };
  } catch (error) {
    throw new StartError(listenProblem(error as NodeJS.ErrnoException, host, port));
  }
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken: end the program that uses it, or set PORT to another`;
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `HOST: ${host} is not an address of this machine; 127.0.0.1 or 0.0.0.0 are usual`;
  }
  if (error.code === 'EACCES') return `Port ${port} needs rights that this process lacks: set PORT`;
  return `Could not listen on ${host}:${port}: ${error.message}`;
}
