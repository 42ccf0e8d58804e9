import { limitErrors, presentError, validateSafely } from '@gudang/graphql';
import { type Logger, rejectHandshake, sendRawAnswer, serveUpgrades } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import {
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  parse,
} from 'graphql';
import {
  type Context,
  handleProtocols,
  makeServer,
  type Server,
  type SubscribePayload,
} from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { EventTurns } from './event-turns.ts';
import { type CompiledOperation, compileOperation } from './execution/compiled-operation.ts';
import { createOperationCache } from './execution/operation-cache.ts';
import { startGatewaySocket } from './gateway-socket.ts';
import { createPositionReporter, type PositionReporter } from './position-reporter.ts';
import { type SubscribeArgs, subscribeInTurns } from './subscribe-in-turns.ts';
import { endSubscription, eventTraceOf } from './subscription-context.ts';

/**
 * Maximum number of subscriptions of one connection. It is high, because one connection carries all
 * streams of a gateway.
 */
const MAX_SUBSCRIPTIONS = 50_000;
/**
 * Maximum number of tokens of an operation. It is far above the gateway's limit for clients, because the
 * gateway expands fragments.
 */
export const MAX_TOKENS = 200_000;
/** Time-out for peers to answer a close frame, in milliseconds. */
const CLOSE_WITHIN_MS = 2_000;

/** Payload of the gateway's `connection_init`. It states whether the gateway wants position reports. */
type ConnectionParams = Readonly<Record<string, unknown>> & {
  readonly gudang?: { readonly cursors?: unknown };
};

/** Extensions of the gateway's `subscribe`. */
interface OperationExtensions {
  readonly gudang?: {
    /** Whether each event is costly to execute. */
    readonly costly?: unknown;
    /** Whether the events are replayed for a caller with many streams, and are sent with pauses. */
    readonly slow?: unknown;
  };
}

/** Data of a connection, from its handshake to its end. */
interface Connection {
  readonly reporter: PositionReporter;
  /** Number of running subscriptions. */
  subscriptions: number;
}

type ConnectionContext = Context<ConnectionParams, Connection>;

/**
 * Serves subscriptions over graphql-transport-ws at `/graphql` of a subgraph. The payload of
 * `connection_ack` states the maximum size of a message, so that the gateway does not send a larger one.
 */
export function serveWebsocket<C extends object>(options: WebsocketOptions<C>): void {
  const { app, messageBytes, log } = options;
  const protocol = createProtocol(options);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: messageBytes,
    handleProtocols,
    ...{ closeTimeout: CLOSE_WITHIN_MS },
  });
  sockets.on('wsClientError', rejectHandshake);
  serveUpgrades(
    app,
    (request, socket, head) => {
      if (request.url?.split('?')[0] !== '/graphql') sendRawAnswer(socket, 404, NOT_FOUND);
      else if (request.headers.origin !== undefined) sendRawAnswer(socket, 403, FOREIGN_PAGE);
      else {
        sockets.handleUpgrade(request, socket, head, (client) => {
          const gateway = startGatewaySocket(client, log);
          gateway.serve(protocol, {
            reporter: createPositionReporter((message) => void gateway.send(message)),
            subscriptions: 0,
          });
        });
      }
    },
    log,
  );
  // After code 1001 ("going away"), gateways reconnect, possibly to another replica.
  app.addHook('preClose', async () => {
    const closed = [...sockets.clients].map(
      (client) => new Promise((resolve) => client.once('close', resolve)),
    );
    for (const client of sockets.clients) client.close(1001, 'Going away');
    await Promise.all(closed);
  });
}

interface WebsocketOptions<C extends object> {
  readonly app: FastifyInstance;
  readonly schema: GraphQLSchema;
  /**
   * Returns whether a connection is accepted, by its `connection_init`. Other connections are closed with
   * code 4403.
   */
  readonly accepts: (connection: ConnectionContext) => boolean;
  readonly createContext: (connection: ConnectionContext, request: SubscribePayload) => C;
  /** Maximum size of a message, in bytes. */
  readonly messageBytes: number;
  /** Maximum number of subscriptions of one connection; 50,000 by default. */
  readonly maxSubscriptions?: number;
  readonly log: Logger;
  /** Returns whether an error means that the database is unavailable. */
  readonly isOutage: (error: unknown) => boolean;
}

function createProtocol<C extends object>({
  schema,
  accepts,
  createContext,
  messageBytes,
  maxSubscriptions = MAX_SUBSCRIPTIONS,
  log,
  isOutage,
}: WebsocketOptions<C>): Server<Connection> {
  const present = (
    errors: readonly (GraphQLError | GraphQLFormattedError)[],
  ): GraphQLFormattedError[] =>
    limitErrors(errors).map((error) =>
      error instanceof GraphQLError ? presentError(error.toJSON(), error, log, isOutage) : error,
    );

  const turns = new EventTurns();
  const readOperation = createOperationReader(schema);
  return makeServer<ConnectionParams, Connection>({
    subscribe: (args) => subscribeInTurns(args as SubscribeArgs, turns),
    onConnect: (connection) => accepts(connection) && { gudang: { messageBytes } },
    onSubscribe: async (connection, id, request) => {
      const { extra } = connection;
      const turn = turns.nextStart();
      if (turn !== undefined) await turn;
      // The gateway may have completed the subscription meanwhile, or have been killed.
      if (!(id in connection.subscriptions)) return [new GraphQLError('The subscription was left')];
      if (extra.subscriptions >= maxSubscriptions) return [tooManySubscriptions(maxSubscriptions)];
      try {
        const operation = readOperation(request);
        if (Array.isArray(operation)) return operation;
        const contextValue = createContext(connection, request);
        extra.subscriptions += 1;
        const { gudang } = (request.extensions ?? {}) as OperationExtensions;
        const isCostly = gudang?.costly === true;
        return { ...operation, contextValue, isCostly, isSlow: gudang?.slow === true };
      } catch (error) {
        return [toGraphQLError(error)];
      }
    },
    onOperation: ({ connectionParams, extra }, id, _payload, { contextValue }, result) => {
      endWithResult(result, contextValue);
      if (connectionParams?.gudang?.cursors === true) extra.reporter.add(id, contextValue);
    },
    onComplete: ({ extra }, id) => {
      extra.subscriptions -= 1;
      extra.reporter.remove(id);
    },
    onClose: ({ extra }) => extra.reporter.stop(),
    onError: (_connection, _id, _payload, errors) => present(errors),
    onNext: ({ extra }, id, _payload, { contextValue }, result) => {
      extra.reporter.beforeEvent(id);
      const traceparent = eventTraceOf(contextValue);
      if (!result.errors && traceparent === undefined) return undefined;
      const extensions = traceparent ? { ...result.extensions, traceparent } : result.extensions;
      return {
        data: result.data ?? null,
        ...(result.errors ? { errors: present(result.errors) } : {}),
        ...(extensions ? { extensions } : {}),
      };
    },
  });
}

type ReadOperation = Omit<SubscribeArgs, 'isCostly' | 'isSlow'>;

/**
 * Returns a function that reads and validates operations. It keeps the valid ones by their text, because the
 * streams of many clients differ in their variables only. graphql-ws itself closes the connection with all
 * its subscriptions if an operation has a syntax error.
 */
function createOperationReader(
  schema: GraphQLSchema,
): (payload: SubscribePayload) => ReadOperation | readonly GraphQLError[] {
  const known = createOperationCache<CompiledOperation>(({ document }) => document);

  /** @throws {GraphQLError} for a syntax error */
  const compile = ({
    query,
    operationName,
  }: SubscribePayload): CompiledOperation | readonly GraphQLError[] => {
    const key = `${operationName?.length ?? -1} ${operationName ?? ''}${query}`;
    const cached = known.get(key);
    if (cached) return cached;
    const document = parse(query, { maxTokens: MAX_TOKENS });
    const errors = validateSafely(schema, document);
    if (errors.length > 0) return errors;
    const operation = getOperationAST(document, operationName);
    if (!operation) return [new GraphQLError(NO_OPERATION)];
    const compiled = compileOperation(schema, document, operation);
    known.set(key, compiled);
    return compiled;
  };

  return (payload) => {
    const compiled = compile(payload);
    if (!('bind' in compiled)) return compiled;
    const { operationName, variables: variableValues } = payload;
    const bound = compiled.bind(variableValues);
    return { schema, document: compiled.document, operationName, variableValues, bound };
  };
}

const NO_OPERATION = 'No operation has this name, or several operations have none';

function toGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/**
 * Ends a subscription as soon as its result is left. Without this function, a subscription that waits for
 * a change would end only at the next change, because an async generator handles `return` after the
 * pending `next`.
 */
function endWithResult(result: unknown, context: unknown): void {
  const { return: end } = result as Partial<AsyncGenerator<unknown>>;
  if (typeof end !== 'function') return;
  Object.assign(result as object, {
    return: (value: unknown) => {
      endSubscription(context);
      return end.call(result as AsyncGenerator<unknown>, value);
    },
  });
}

function tooManySubscriptions(max: number): GraphQLError {
  return new GraphQLError(`The connection has ${max.toLocaleString('en')} subscriptions already`, {
    extensions: { code: 'LIMIT_EXCEEDED', limit: 'operations', max },
  });
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
