import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import fastifyApollo from '@as-integrations/fastify';
import { ANONYMOUS, createTrustedIdentity, type Identity, UNRESTRICTED } from '@gudang/auth';
import type { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { presentError, type Traced, traceOperations } from '@gudang/graphql';
import { parseTraceparent } from '@gudang/runtime/tracing';
import { type GraphQLFormattedError, parse } from 'graphql';
import type { SubgraphService } from '../start-service.ts';
import { reportAbsentEntities } from './absent-entities.ts';
import { protectFields } from './protect-fields.ts';
import { serveSocket } from './serve-websocket.ts';

type Resolvers = Parameters<typeof buildSubgraphSchema>[0] extends infer Given
  ? Given extends { resolvers?: infer R }
    ? R
    : never
  : never;

type SubgraphTable = Pick<ReturnType<typeof protectedHttpSettings>, 'NODE_ENV'> &
  typeof identitySettings;

/**
 * Serves a subgraph at `/graphql`: queries and mutations over HTTP, subscriptions over
 * graphql-transport-ws. The context is made anew for each operation, of who asks it; what the schema
 * says by `@authenticated` and `@requiresScopes` is held.
 * @param sdl the subgraph's schema, the source that its types are generated from
 */
export async function serveSubgraph<C extends Traced & { readonly identity: Identity }>(
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
    createContext,
  }: {
    sdl: string;
    resolvers: object;
    createContext: (identity: Identity, traceparent?: string) => C;
  },
): Promise<void> {
  const schema = buildSubgraphSchema([
    { typeDefs: parse(sdl), resolvers: resolvers as NonNullable<Resolvers> },
  ]);
  protectFields(schema);
  const server = new ApolloServer<C>({
    schema,
    introspection: settings.NODE_ENV !== 'production',
    includeStacktraceInErrorResponses: false,
    formatError: (formatted, error) => presentError(formatted, error, log, isOutage),
    // JSON without Apollo's line breaks: half of what @apollo/server itself costs a request.
    stringifyResult: (value) => JSON.stringify(value),
    stopOnTerminationSignals: false,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      traceOperations<C>((context): Traced => context),
      reportAbsentEntities,
    ],
  });
  await server.start();
  const believed = createTrustedIdentity(
    settings.SUBGRAPH_SECRET,
    auth.on ? ANONYMOUS : UNRESTRICTED,
  );
  await app.register((gatewaysOwn, _options, done) => {
    gatewaysOwn.addHook('onRequest', ({ headers }, reply, next) => {
      if (believed.acceptsRequest(headers)) next();
      else reply.code(403).send({ errors: [GATEWAY_ONLY] });
    });
    gatewaysOwn.addHook('onRoute', (route) => {
      route.bodyLimit = GATEWAYS_BODY_LIMIT;
    });
    gatewaysOwn.register(fastifyApollo(server), {
      context: async ({ headers }) =>
        createContext(believed.ofRequest(headers), parseTraceparent(headers['traceparent'])),
    });
    done();
  });
  serveSocket({
    app,
    schema,
    answers: ({ connectionParams }) => believed.acceptsConnection(connectionParams),
    createContext: ({ connectionParams }, { extensions }) =>
      createContext(believed.ofOperation(connectionParams, extensions)),
    log,
  });
  app.addHook('onClose', () => server.stop());
}

/**
 * A small operation of a client can ask for thousands of entities by their ids, which the gateway
 * sends in one body: more than a client may send it.
 */
const GATEWAYS_BODY_LIMIT = 4 * 1024 * 1024;

const GATEWAY_ONLY: GraphQLFormattedError = {
  message: 'This subgraph answers the gateway alone: ask there',
  extensions: { code: 'FORBIDDEN' },
};
