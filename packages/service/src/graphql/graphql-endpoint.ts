import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import fastifyApollo, { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Stoppable } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { startGraphqlSocket } from './graphql-socket.ts';
import { presentError } from './present-error.ts';

/**
 * Serves a subgraph's schema at `/graphql`: queries and mutations over HTTP, subscriptions over
 * graphql-transport-ws. The context is made anew for each operation.
 */
export async function startGraphqlEndpoint<C extends object>({
  app,
  schema,
  createContext,
  introspection,
  log,
}: {
  app: FastifyInstance;
  schema: GraphQLSchema;
  createContext: () => C;
  introspection: boolean;
  log: Logger;
}): Promise<Stoppable> {
  const server = new ApolloServer<C>({
    schema,
    introspection,
    includeStacktraceInErrorResponses: false,
    formatError: (formatted, error) => presentError(formatted, error, log),
    // JSON without Apollo's line breaks: half of what @apollo/server itself costs a request.
    stringifyResult: (value) => JSON.stringify(value),
    plugins: [fastifyApolloDrainPlugin(app), ApolloServerPluginLandingPageDisabled()],
  });
  await server.start();
  const socket = startGraphqlSocket({ app, schema, createContext, log });
  await app.register(fastifyApollo(server), { context: async () => createContext() });
  return {
    stop: async () => {
      await socket.stop();
      await server.stop();
    },
  };
}
