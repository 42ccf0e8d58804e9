import type { Duplex } from 'node:stream';
import { presentError, validateSafely } from '@gudang/graphql';
import type { Logger } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context, SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { eventTrace } from './event-trace.ts';
import { createPositionReporter, type PositionReporter } from './position-reporter.ts';

/** The largest websocket message that is read, in bytes; ws itself would take 100 MiB. */
const MESSAGE_LIMIT = 64 * 1024;

/** What a gateway may say in `connection_init`: that it wants to be told positions of streams. */
type ConnectionParams = Readonly<Record<string, unknown>> & {
  readonly gudang?: { readonly cursors?: unknown };
};

/** Serves operations over graphql-transport-ws at `/graphql` of a subgraph. */
export function serveSocket<C extends object>({
  app,
  schema,
  answers,
  createContext,
  log,
}: {
  app: FastifyInstance;
  schema: GraphQLSchema;
  /** Whether a connection that says this of itself is answered; one that is not closes with 4403. */
  answers: (connection: Context) => boolean;
  createContext: (connection: Context, request: SubscribePayload) => C;
  log: Logger;
}): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT });
  const present = (error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError =>
    error instanceof GraphQLError ? presentError(error.toJSON(), error, log) : error;
  const tellers = new WeakMap<Context, PositionReporter>();
  const tellerOf = (connection: Context, socket: WebSocket): PositionReporter => {
    const known = tellers.get(connection);
    if (known) return known;
    const teller = createPositionReporter((message) => {
      if (socket.readyState === socket.OPEN) socket.send(message);
    });
    tellers.set(connection, teller);
    return teller;
  };

  const protocol = useServer<ConnectionParams, { socket: WebSocket }>(
    {
      schema,
      validate: validateSafely,
      onConnect: answers,
      context: (connection, _id, request) => createContext(connection, request),
      onOperation: (connection, id, _payload, { contextValue }) => {
        if (connection.connectionParams?.gudang?.cursors !== true) return;
        tellerOf(connection, connection.extra.socket).add(id, contextValue);
      },
      onComplete: (connection, id) => tellers.get(connection)?.remove(id),
      onClose: (connection) => tellers.get(connection)?.stop(),
      onError: (_connection, _id, _payload, errors) => errors.map(present),
      onNext: (_connection, _id, _payload, { contextValue }, result) => {
        const traceparent = eventTrace(contextValue);
        if (!result.errors && traceparent === undefined) return undefined;
        const extensions = traceparent ? { ...result.extensions, traceparent } : result.extensions;
        return {
          data: result.data ?? null,
          ...(result.errors ? { errors: result.errors.map(present) } : {}),
          ...(extensions ? { extensions } : {}),
        };
      },
    },
    sockets,
  );
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] !== '/graphql') {
      rejectUpgrade(socket);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      sockets.emit('connection', client, request);
    });
  });
  // 1001 "going away": graphql-ws's client comes back, elsewhere if need be.
  app.addHook('preClose', () => protocol.dispose());
}

/** Answers an upgrade request to a path that serves no websocket, and closes its connection. */
function rejectUpgrade(socket: Duplex): void {
  // Node removes its own error listener before `upgrade`: without one, a reset ends the process.
  socket.on('error', () => socket.destroy());
  // Nothing reads this socket, so the client's FIN would go unnoticed.
  socket.once('finish', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
}
