import '../quiet-apollo.ts';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { traceOperations } from '@gudang/graphql';
import type { Logger, Stoppable } from '@gudang/runtime';
import type { FastifyRequest } from 'fastify';
import type { RequirementsOf } from '../auth/field-requirements.ts';
import type { GatewayContext } from '../context.ts';
import { createDocumentStore } from '../documents/document-cache.ts';
import type { PersistedQueries } from '../documents/persisted-queries.ts';
import { presentGatewayError } from '../errors/present-errors.ts';
import { type Invalidation, runAndInvalidate } from '../request-deduplication/invalidation.ts';
import { unavailableAnswer } from '../subgraphs/subgraph-failure.ts';
import type { Subgraphs } from '../subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import {
  admittedPlugin,
  authorizationPlugin,
  badInputPlugin,
  operationTypePlugin,
} from './apollo-plugins.ts';
import type { GraphqlMetrics } from './graphql-metrics.ts';
import { createQueryExecutor, type SendToSubgraph } from './query-executor.ts';
import type { OperationExecutor, RequestPipeline } from './request-pipeline.ts';

/**
 * Size of ApolloGateway's own plan cache, in MiB of JSON. The cache uses several times as much
 * memory.
 */
const PLAN_CACHE_MIB = 10;

export interface ApolloPipeline extends RequestPipeline, Stoppable {
  /** Executes an admitted query or mutation that arrived over a protocol other than HTTP. */
  readonly execute: OperationExecutor;
  /** Replaces the supergraph. @throws when Apollo rejects it */
  readonly use: (supergraph: LoadedSupergraph) => void;
}

interface Options {
  readonly supergraph: LoadedSupergraph;
  readonly subgraphs: Pick<Subgraphs, 'sources'>;
  readonly requirementsOf: RequirementsOf;
  readonly documents: Pick<PersistedQueries, 'cache'>;
  readonly invalidation: Invalidation;
  /** Whether to allow introspection and "Did you mean" suggestions. */
  readonly explore: boolean;
  readonly maxTokens: number;
  readonly metrics: Pick<GraphqlMetrics, 'plugin'>;
  readonly log: Logger;
}

/** Starts Apollo Server, with the gateway's own executor in place of ApolloGateway's. */
export async function startApolloPipeline(options: Options): Promise<ApolloPipeline> {
  const { supergraph, subgraphs, invalidation, log } = options;
  let update: (sdl: string) => void = () => {};
  const send: SendToSubgraph = (name, ...asked) =>
    subgraphs.sources[name]?.send(...asked) ??
    Promise.resolve(unavailableAnswer(name, 'was removed from the supergraph', false));
  const apollo = new ApolloGateway({
    supergraphSdl: async (manager) => {
      update = manager.update;
      return { supergraphSdl: supergraph.runnableSdl };
    },
    buildService: ({ name }) => createDataSource(name, send),
    experimental_approximateQueryPlanStoreMiB: PLAN_CACHE_MIB,
    logger: toApolloLogger(log),
  });
  const createExecutor = (graph: LoadedSupergraph) =>
    createQueryExecutor(graph, send, apollo.executor);
  let executor = createExecutor(supergraph);
  const server = createServer(options, {
    load: async (given) => {
      await apollo.load(given);
      return { executor: (context) => executor(context) };
    },
    onSchemaLoadOrUpdate: (callback) => apollo.onSchemaLoadOrUpdate(callback),
    stop: () => apollo.stop(),
  });
  await server.start();

  return {
    answer: (request, context) => answerOverHttp(server, request, context),
    execute: async ({ query, variables = {}, operationName }, context) => {
      const operation = {
        query,
        ...(variables ? { variables } : {}),
        ...(operationName ? { operationName } : {}),
      };
      const own = {
        ...context,
        // The headers are copied, because all operations of a websocket share them, but each
        // operation has its own trace.
        forward: { ...context.forward },
        admitted: { query, operationName: operationName ?? undefined, variables: variables ?? {} },
      };
      const { body } = await runAndInvalidate(invalidation, own, (contextValue) =>
        server.executeOperation(operation, { contextValue }),
      );
      if (body.kind !== 'single') throw new Error('incremental delivery is not supported');
      return body.singleResult;
    },
    use: (next) => {
      update(next.runnableSdl);
      executor = createExecutor(next);
    },
    stop: () => server.stop(),
  };
}

type ServerOptions = ConstructorParameters<typeof ApolloServer<GatewayContext>>[0];

function createServer(
  { documents, explore, log, maxTokens, metrics, requirementsOf }: Options,
  gateway: NonNullable<ServerOptions['gateway']>,
): ApolloServer<GatewayContext> {
  return new ApolloServer<GatewayContext>({
    gateway,
    logger: toApolloLogger(log),
    introspection: explore,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !explore,
    // The gateway's process handles signals itself, and stops Apollo Server after the websockets.
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    persistedQueries: { cache: documents.cache },
    parseOptions: { maxTokens },
    formatError: (formatted, error) => presentGatewayError(formatted, error, log),
    // By default, Apollo Server pretty-prints results, which takes half of the time that
    // @apollo/server itself needs for a request.
    stringifyResult: (value) => JSON.stringify(value),
    plugins: [
      metrics.plugin,
      traceOperations<GatewayContext>(({ forward }) => forward),
      badInputPlugin,
      admittedPlugin,
      authorizationPlugin(requirementsOf),
      operationTypePlugin,
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
}

/**
 * Creates a data source that sends to the subgraph's current address. It is needed because
 * ApolloGateway keeps the data sources that it gets at start.
 */
function createDataSource(name: string, send: SendToSubgraph): GraphQLDataSource<GatewayContext> {
  return {
    process: ({ request: { query = '', variables, operationName }, ...options }) => {
      const incoming = 'incomingRequestContext' in options && options.incomingRequestContext;
      const kind = incoming ? incoming.operation?.operation : undefined;
      return send(name, { query, variables, operationName }, options.context, kind);
    },
  };
}

/**
 * Passes a request that Fastify has read to Apollo Server. The handler of @as-integrations/fastify
 * is not suitable: it writes each answer into one reply, but here several requests may share an
 * answer.
 */
async function answerOverHttp(
  server: ApolloServer<GatewayContext>,
  request: FastifyRequest,
  context: GatewayContext,
) {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const answer = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      body: request.body,
      method: request.method,
      headers,
      search: searchOf(request.url),
    },
    context: async () => context,
  });
  if (answer.body.kind !== 'complete') throw new Error('incremental delivery is not supported');
  return { status: answer.status ?? 200, headers: answer.headers, body: answer.body.string };
}

/** Returns the part of a request target from its question mark to its end. */
export function searchOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start);
}

/**
 * Returns the logger of Apollo's libraries. Their announcements are logged at debug level, because
 * they are not useful to an operator.
 */
function toApolloLogger(log: Logger) {
  return {
    debug: () => {},
    info: (message?: unknown) => log.debug(message),
    warn: (message?: unknown) => log.warn(message),
    error: (message?: unknown) => log.error(message),
  };
}
