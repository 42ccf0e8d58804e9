import { limitErrors, presentError, validateSafely } from '@gudang/graphql';
import { type Logger, rejectHandshake, sendRawAnswer, serveUpgrades } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context, SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { createPositionReporter, type PositionReporter } from './position-reporter.ts';
import { eventTraceOf } from './subscription-context.ts';

/** Maximum size of a websocket message, in bytes. The default of ws is 100 MiB. */
const MESSAGE_LIMIT = 64 * 1024;

/** Payload of the gateway's `connection_init`. It states whether the gateway wants position reports. */
type ConnectionParams = Readonly<Record<string, unknown>> & {
  readonly gudang?: { readonly cursors?: unknown };
};

/** Serves subscriptions over graphql-transport-ws at `/graphql` of a subgraph. */
export function serveWebsocket<C extends object>({
  app,
  schema,
  accepts,
  createContext,
  log,
  isOutage,
}: {
  app: FastifyInstance;
  schema: GraphQLSchema;
  /**
   * Returns whether a connection is accepted, by its `connection_init`. Other connections are closed with
   * code 4403.
   */
  accepts: (connection: Context) => boolean;
  createContext: (connection: Context, request: SubscribePayload) => C;
  log: Logger;
  /** Returns whether an error means that the database is unavailable. */
  isOutage: (error: unknown) => boolean;
}): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT });
  sockets.on('wsClientError', rejectHandshake);
  const present = (
    errors: readonly (GraphQLError | GraphQLFormattedError)[],
  ): GraphQLFormattedError[] =>
    limitErrors(errors).map((error) =>
      error instanceof GraphQLError ? presentError(error.toJSON(), error, log, isOutage) : error,
    );
  const reporters = new WeakMap<Context, PositionReporter>();
  const reporterOf = (connection: Context, socket: WebSocket): PositionReporter => {
    const existing = reporters.get(connection);
    if (existing) return existing;
    const reporter = createPositionReporter((message) => {
      if (socket.readyState === socket.OPEN) socket.send(message);
    });
    reporters.set(connection, reporter);
    return reporter;
  };

  const protocol = useServer<ConnectionParams, { socket: WebSocket }>(
    {
      schema,
      validate: validateSafely,
      onConnect: accepts,
      context: (connection, _id, request) => createContext(connection, request),
      onOperation: (connection, id, _payload, { contextValue }) => {
        if (connection.connectionParams?.gudang?.cursors !== true) return;
        reporterOf(connection, connection.extra.socket).add(id, contextValue);
      },
      onComplete: (connection, id) => reporters.get(connection)?.remove(id),
      onClose: (connection) => reporters.get(connection)?.stop(),
      onError: (_connection, _id, _payload, errors) => present(errors),
      onNext: (_connection, _id, _payload, { contextValue }, result) => {
        const traceparent = eventTraceOf(contextValue);
        if (!result.errors && traceparent === undefined) return undefined;
        const extensions = traceparent ? { ...result.extensions, traceparent } : result.extensions;
        return {
          data: result.data ?? null,
          ...(result.errors ? { errors: present(result.errors) } : {}),
          ...(extensions ? { extensions } : {}),
        };
      },
    },
    sockets,
  );
  serveUpgrades(
    app,
    (request, socket, head) => {
      if (request.url?.split('?')[0] !== '/graphql') sendRawAnswer(socket, 404, NOT_FOUND);
      else if (request.headers.origin !== undefined) sendRawAnswer(socket, 403, FOREIGN_PAGE);
      else {
        sockets.handleUpgrade(request, socket, head, (client) => {
          sockets.emit('connection', client, request);
        });
      }
    },
    log,
  );
  // `dispose` closes connections with code 1001 ("going away"), so that clients of graphql-ws reconnect,
  // possibly to another replica.
  app.addHook('preClose', () => protocol.dispose());
}

const NOT_FOUND = {
  errors: [{ message: 'Websockets are served at /graphql', extensions: { code: 'NOT_FOUND' } }],
};

/**
 * The answer to a handshake with the header `Origin`. Only browsers send it, and a subgraph serves no
 * pages, so the page belongs to another website. Browsers send no preflight for websockets.
 */
const FOREIGN_PAGE = {
  errors: [
    {
      message: 'Pages may not use this websocket: use the gateway instead',
      extensions: { code: 'FORBIDDEN' },
    },
  ],
};
