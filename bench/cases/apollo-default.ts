/**
 * @apollo/gateway as its documentation starts it: its default data source, Apollo's standalone
 * server. A process of its own, for the benches; arguments: the supergraph's file, `name=url` of
 * each subgraph. Answers each message with its port.
 */
import { readFile } from 'node:fs/promises';
import { argv } from 'node:process';

// Read when Apollo's modules are loaded.
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
// It refuses what it would not enforce; nothing is to be enforced here.
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
