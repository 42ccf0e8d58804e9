/**
 * Runs @apollo/gateway as in its documentation, with its default data source and Apollo's
 * standalone server, in a process of its own. Arguments: supergraph file, then `name=url` of each
 * subgraph. It answers each message of its parent with its port.
 */
import { readFile } from 'node:fs/promises';
import { argv } from 'node:process';

// Apollo's modules read these variables when they are loaded.
Object.assign(process.env, {
  NODE_ENV: 'production',
  APOLLO_TELEMETRY_DISABLED: 'true',
  METADATA_SERVER_DETECTION: 'none',
});
const { ApolloGateway, RemoteGraphQLDataSource } = await import('@apollo/gateway');
const { ApolloServer } = await import('@apollo/server');
const { startStandaloneServer } = await import('@apollo/server/standalone');

const [, , file = '', ...named] = argv;
const urls = new Map(named.map((one) => one.split('=') as [string, string]));
// @apollo/gateway rejects supergraphs with security directives, which it cannot enforce.
const supergraphSdl = (await readFile(file, 'utf8')).replaceAll(', for: SECURITY', '');
const gateway = new ApolloGateway({
  supergraphSdl,
  buildService: ({ name, url }) =>
    new RemoteGraphQLDataSource({ url: urls.get(name) ?? url ?? '' }),
});
const { url } = await startStandaloneServer(new ApolloServer({ gateway }), {
  listen: { host: '127.0.0.1', port: 0 },
});
process.on('message', () => process.send?.({ port: Number(new URL(url).port) }));
process.send?.({});
