import '../quiet-apollo.ts';
import type { ServerResponse } from 'node:http';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { traceOperations } from '@gudang/graphql';
import type { Logger, Metrics, Stoppable } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { authorizationPlugin } from '../auth/authorization-plugin.ts';
import { createRequirements } from '../auth/field-requirements.ts';
import type { RequestCallers } from '../auth/request-callers.ts';
import { contextOf, type GatewayContext } from '../context.ts';
import { createDocumentStore } from '../documents/document-cache.ts';
import type { PersistedQueries } from '../documents/persisted-queries.ts';
import { badInputPlugin } from '../errors/bad-input-plugin.ts';
import { presentGatewayError } from '../errors/present-errors.ts';
import { RequestError } from '../errors/request-error.ts';
import { admittedOf, admittedPlugin } from '../limits/admission.ts';
import { answerRefusals } from '../limits/answer-refusals.ts';
import type { AssertNotOverloaded } from '../limits/overload.ts';
import type { HttpStreams } from '../live/transports/http/http-streams.ts';
import type { OperationExecutor } from '../live/transports/operation-executor.ts';
import type { Invalidation } from '../request-deduplication/invalidation.ts';
import type { OnLeave } from '../request-deduplication/ref-counted-abort.ts';
import { createSharedAnswers } from '../request-deduplication/shared-answers.ts';
import { operationKindPlugin, watchOperation } from '../request-deduplication/watch-operation.ts';
import { unavailableAnswer } from '../subgraphs/subgraph-answer.ts';
import type { Subgraphs } from '../subgraphs/subgraphs.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { createApolloHttp, sendAnswer } from './apollo-http.ts';
import { createGraphqlMetrics } from './graphql-metrics.ts';
import { createOperationFastPath } from './operation-fast-path.ts';
import { createQueryExecutor, type SendToSubgraph } from './query-executor.ts';

/** Plans kept, in MiB of their JSON; the default of 30 takes several times that in memory. */
const PLANS_MIB = 10;

export interface GraphqlEndpoint extends Stoppable {
  /** Answers by another supergraph from now on. @throws what Apollo says against it */
  readonly use: (supergraph: LoadedSupergraph) => void;
  readonly execute: OperationExecutor;
  /** Opens `/graphql`. @param streams takes the requests that are for a live stream */
  readonly serve: (
    streams: Pick<HttpStreams, 'handle'>,
    callers: RequestCallers,
    assertNotOverloaded: AssertNotOverloaded,
  ) => void;
}

/** Queries and mutations: at `/graphql`, and for other protocols by `execute`. */
export async function startGraphqlEndpoint({
  app,
  supergraph,
  subgraphs,
  invalidation,
  explore,
  documents,
  limits,
  metrics,
  log,
}: {
  app: FastifyInstance;
  supergraph: LoadedSupergraph;
  subgraphs: Pick<Subgraphs, 'sources'>;
  invalidation: Invalidation;
  /** Whether clients may ask for the schema, and are told what a wrong name may have meant. */
  explore: boolean;
  documents: PersistedQueries;
  limits: { readonly tokens: number; readonly bodyBytes: number };
  metrics: Metrics;
  log: Logger;
}): Promise<GraphqlEndpoint> {
  let update: (sdl: string) => void = () => {};
  let requirements = createRequirements(supergraph);
  const sendToSubgraph: SendToSubgraph = (name, ...asked) =>
    subgraphs.sources[name]?.send(...asked) ??
    Promise.resolve(unavailableAnswer(name, 'is no longer there', false));
  const apollo = new ApolloGateway({
    supergraphSdl: async (manager) => {
      update = manager.update;
      return { supergraphSdl: supergraph.runnableSdl };
    },
    // Looked up at each request: Apollo keeps what it is given here, addresses change.
    buildService: ({ name }): GraphQLDataSource<GatewayContext> => ({
      process: async (options) =>
        subgraphs.sources[name]?.process(options) ??
        unavailableAnswer(name, 'is no longer there', false),
    }),
    experimental_approximateQueryPlanStoreMiB: PLANS_MIB,
    logger: quiet(log),
  });
  const createExecutor = (graph: LoadedSupergraph) =>
    createQueryExecutor(graph, sendToSubgraph, apollo.executor);
  let execute = createExecutor(supergraph);
  const graphqlMetrics = createGraphqlMetrics(metrics);
  const server = new ApolloServer<GatewayContext>({
    gateway: {
      load: async (options) => {
        await apollo.load(options);
        return { executor: (context) => execute(context) };
      },
      onSchemaLoadOrUpdate: (callback) => apollo.onSchemaLoadOrUpdate(callback),
      stop: () => apollo.stop(),
    },
    logger: quiet(log),
    introspection: explore,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !explore,
    // The process's own signal handling stops this, after the websockets.
    stopOnTerminationSignals: false,
    documentStore: createDocumentStore(),
    persistedQueries: { cache: documents.cache },
    parseOptions: { maxTokens: limits.tokens },
    formatError: (formatted, error) => presentGatewayError(formatted, error, log),
    // Apollo's pretty-printing is half of what @apollo/server itself costs a request.
    stringifyResult: (value) => JSON.stringify(value),
    plugins: [
      graphqlMetrics.plugin,
      traceOperations<GatewayContext>(({ forward }) => forward),
      badInputPlugin,
      admittedPlugin,
      authorizationPlugin(() => requirements),
      operationKindPlugin,
      // The gateway's own pages have a better one.
      ApolloServerPluginLandingPageDisabled(),
    ],
  });
  await server.start();
  const known = createOperationFastPath({
    answerByApollo: createApolloHttp(server),
    requirementsOf: (read) => requirements(read),
    metrics: graphqlMetrics,
  });
  const answer = createSharedAnswers({ invalidation, answer: known.answer, metrics });
  return {
    use: (next) => {
      update(next.runnableSdl);
      requirements = createRequirements(next);
      execute = createExecutor(next);
      known.forget();
    },
    serve: ({ handle }, callers, assertNotOverloaded) => {
      app.route({
        method: ['GET', 'POST', 'OPTIONS'],
        url: '/graphql',
        bodyLimit: limits.bodyBytes,
        errorHandler: answerRefusals(limits.bodyBytes),
        onRequest: [
          ({ headers, raw }, _reply, done) => {
            // Fastify cuts the target there, Apollo Server would read on.
            if (raw.url?.includes('#')) throw FRAGMENT;
            if (!headers.accept?.includes('text/event-stream')) assertNotOverloaded();
            done();
          },
          callers.identify,
        ],
        // Apollo Server cannot run subscriptions, and its validation throws on some.
        preHandler: handle,
        handler: async (request, reply) => {
          const admitted = admittedOf(request);
          const context = {
            ...contextOf(request.headers, callers.of(request).identity),
            ...(admitted ? { admitted } : {}),
          };
          return sendAnswer(reply, await answer(request, context, leavesWith(reply.raw)));
        },
      });
    },
    execute: async ({ query, variables, operationName }, context) => {
      const operation = {
        query,
        ...(variables ? { variables } : {}),
        ...(operationName ? { operationName } : {}),
      };
      // Of its own: a websocket's operations share one, and each is a part of its own trace.
      const own = {
        ...context,
        forward: { ...context.forward },
        admitted: { query, operationName: operationName ?? undefined, variables: variables ?? {} },
      };
      const { body } = await watchOperation(invalidation, own, (contextValue) =>
        server.executeOperation(operation, { contextValue }),
      );
      if (body.kind !== 'single') throw new Error('an incremental answer was not asked for');
      return body.singleResult;
    },
    stop: () => server.stop(),
  };
}

const FRAGMENT = new RequestError(400, 'A request target has no fragment (RFC 9112, 3.2)', {
  code: 'BAD_REQUEST',
});

/** A client that goes away before it has its answer. */
function leavesWith(response: ServerResponse): OnLeave {
  return (listener) => {
    response.once('close', () => {
      if (!response.writableFinished) listener();
    });
  };
}

/** Apollo's own announcements are of no interest to an operator. */
function quiet(log: Logger) {
  return {
    debug: () => {},
    info: (message?: unknown) => log.debug(message),
    warn: (message?: unknown) => log.warn(message),
    error: (message?: unknown) => log.error(message),
  };
}
