import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { ANONYMOUS, createTrustedIdentity, type Identity, UNRESTRICTED } from '@gudang/auth';
import type { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import {
  limitErrorsPlugin,
  MAX_ERRORS,
  presentError,
  type Traced,
  traceOperations,
} from '@gudang/graphql';
import { parseTraceparent } from '@gudang/runtime/tracing';
import { type GraphQLFormattedError, parse } from 'graphql';
import type { SubgraphService } from '../start-subgraph.ts';
import { reportAbsentEntities } from './absent-entities.ts';
import { yieldBeforeLargeResults } from './large-results.ts';
import { compiledExecutor, createOperationFastPath } from './operation-fast-path.ts';
import { protectFields } from './protect-fields.ts';
import { type FindEntities, resolveEntitiesTogether } from './resolve-entities.ts';
import { MAX_TOKENS, serveWebsocket } from './serve-websocket.ts';
import { WARM_UP, warmUp } from './warm-up.ts';

type Resolvers = Parameters<typeof buildSubgraphSchema>[0] extends infer Given
  ? Given extends { resolvers?: infer R }
    ? R
    : never
  : never;

type SubgraphTable = Pick<ReturnType<typeof protectedHttpSettings>, 'NODE_ENV'> &
  typeof identitySettings;

/** The part of an operation's context that every subgraph has. */
export type SubgraphContext = Traced & { readonly identity: Identity };

/**
 * Serves a subgraph at `/graphql`: queries and mutations over HTTP, and subscriptions over
 * graphql-transport-ws. It enforces `@authenticated` and `@requiresScopes`.
 * @param sdl the subgraph's schema
 * @param entities find the entities of a type together; other entities are resolved by `__resolveReference`
 * @param createContext creates the context of each operation
 */
export async function serveSubgraph<C extends SubgraphContext>(
  {
    app,
    auth,
    log,
    settings,
    isOutage,
  }: Pick<SubgraphService<SubgraphTable>, 'app' | 'auth' | 'log' | 'settings' | 'isOutage'>,
  {
    sdl,
    resolvers,
    entities = {},
    createContext,
  }: {
    sdl: string;
    resolvers: object;
    entities?: Readonly<Record<string, FindEntities<C>>> | undefined;
    createContext: (identity: Identity, traceparent?: string) => C;
  },
): Promise<void> {
  const schema = buildSubgraphSchema([
    { typeDefs: parse(sdl), resolvers: resolvers as NonNullable<Resolvers> },
  ]);
  resolveEntitiesTogether(schema, entities);
  protectFields(schema);
  const server = new ApolloServer<C>({
    gateway: compiledExecutor(schema),
    introspection: settings.NODE_ENV !== 'production',
    includeStacktraceInErrorResponses: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    maxRecursiveSelections: true,
    validationOptions: { maxErrors: MAX_ERRORS },
    formatError: (formatted, error) => presentError(formatted, error, log, isOutage),
    // This function replaces the pretty-printing of @apollo/server, which doubles the CPU time per
    // request.
    stringifyResult: (value) => JSON.stringify(value),
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      // The plugin calls a function for each field, which took a third of the time of a large answer.
      ApolloServerPluginCacheControlDisabled(),
      limitErrorsPlugin,
      traceOperations<C>((context): Traced => context),
      reportAbsentEntities,
      yieldBeforeLargeResults,
    ],
  });
  await server.start();
  await warmUp((turn) =>
    server.executeOperation(
      // The comment is not part of the operation, but of the text by which documents are cached.
      { query: `${WARM_UP} # ${turn}`, variables: { representations: [] } },
      { contextValue: createContext(UNRESTRICTED) },
    ),
  );
  const trusted = createTrustedIdentity(
    settings.SUBGRAPH_SECRET,
    auth.on ? ANONYMOUS : UNRESTRICTED,
  );
  await app.register((gatewayRoutes, _options, done) => {
    gatewayRoutes.addHook('onRequest', ({ headers }, reply, next) => {
      void reply.header('cache-control', 'no-store');
      if (trusted.acceptsRequest(headers)) next();
      else reply.code(403).send({ errors: [GATEWAY_ONLY] });
    });
    gatewayRoutes.addHook('onRoute', (route) => {
      route.bodyLimit = GATEWAY_BODY_LIMIT;
    });
    gatewayRoutes.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: '/graphql',
      handler: createOperationFastPath<C>({
        createContext: ({ headers }) =>
          createContext(
            trusted.identityOfRequest(headers),
            parseTraceparent(headers['traceparent']),
          ),
        apollo: async (context, request, reply) =>
          fastifyApolloHandler(server, { context: async () => context }).call(app, request, reply),
      }),
    });
    done();
  });
  serveWebsocket({
    app,
    schema,
    accepts: ({ connectionParams }) => trusted.acceptsConnection(connectionParams),
    createContext: ({ connectionParams }, { extensions }) =>
      createContext(trusted.identityOfOperation(connectionParams, extensions)),
    messageBytes: GATEWAY_BODY_LIMIT,
    log,
    isOutage,
  });
  app.addHook('onClose', () => server.stop());
}

/**
 * Maximum size of a request body or a websocket message from the gateway, in bytes. It is higher than the limit for clients,
 * because a small operation of a client can select thousands of entities, and the gateway sends all their
 * ids in one body.
 */
const GATEWAY_BODY_LIMIT = 4 * 1024 * 1024;

const GATEWAY_ONLY: GraphQLFormattedError = {
  message: 'This subgraph accepts requests from the gateway only: send the request there',
  extensions: { code: 'FORBIDDEN' },
};
