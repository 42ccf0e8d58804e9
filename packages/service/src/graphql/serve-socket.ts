import type { FastifyInstance } from 'fastify';
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql';
import type { Context } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Logger } from '../logger.ts';
import { presentError } from './present-error.ts';
import { validateSafely } from './validate-safely.ts';

/** The largest websocket message that is read, in bytes; ws itself would take 100 MiB. */
const MESSAGE_LIMIT = 64 * 1024;

/** Serves operations over graphql-transport-ws at `/graphql` of a subgraph. */
export function serveSocket<C extends object>({
  app,
  schema,
  createContext,
  log,
}: {
  app: FastifyInstance;
  schema: GraphQLSchema;
  createContext: (connection: Context) => C;
  log: Logger;
}): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_LIMIT });
  const present = (error: GraphQLError | GraphQLFormattedError): GraphQLFormattedError =>
    error instanceof GraphQLError ? presentError(error.toJSON(), error, log) : error;
  const protocol = useServer(
    {
      schema,
      validate: validateSafely,
      context: (connection) => createContext(connection),
      onError: (_connection, _id, _payload, errors) => errors.map(present),
      onNext: (_connection, _id, _payload, _args, result) =>
        result.errors && {
          data: result.data ?? null,
          errors: result.errors.map(present),
          ...(result.extensions ? { extensions: result.extensions } : {}),
        },
    },
    sockets,
  );
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?')[0] !== '/graphql') {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      sockets.emit('connection', client, request);
    });
  });
  // 1001 "going away": graphql-ws's client comes back, elsewhere if need be.
  app.addHook('preClose', () => protocol.dispose());
}
