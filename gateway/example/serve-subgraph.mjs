import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

/** Serves a subgraph at /graphql: over HTTP, and over websockets for the gateway's subscriptions. */
export function serveSubgraph(file, port, resolvers) {
  const typeDefs = parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
  const schema = buildSubgraphSchema([{ typeDefs, resolvers }]);
  const server = createServer(createYoga({ schema, logging: false }));
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  server.listen(port, '127.0.0.1', () => {
    console.log(`${file} is served at http://127.0.0.1:${server.address().port}/graphql`);
  });
}
