/**
 * Child process with the subgraphs of the comparison with other gateways: items, with a stream of ticks, and
 * ratings of items. Argument: the port; 0 selects a free one. `{burst}` sends ticks to all subscribers.
 */
import { EventEmitter, on } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { argv } from 'node:process';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, execute, type GraphQLSchema, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { ITEMS, RATINGS } from './peer-schemas.ts';

const TICK = 'tick';
const ticking = new EventEmitter().setMaxListeners(0);
const itemOf = (id: string) => ({ id, name: `Item ${id}`, quantity: Number(id) * 10 });
let requests = 0;
let sent = 0;

async function* ticks() {
  for await (const [tick] of on(ticking, TICK)) yield { ticked: tick };
}

const schemas: Readonly<Record<string, GraphQLSchema>> = {
  '/items/graphql': buildSubgraphSchema([
    {
      typeDefs: parse(ITEMS),
      resolvers: {
        Query: {
          items: (_: unknown, { first }: { first: number }) =>
            Array.from({ length: first }, (_item, index) => itemOf(String(index))),
        },
        Subscription: { ticked: { subscribe: ticks } },
        Item: { __resolveReference: ({ id }: { id: string }) => itemOf(id) },
      },
    },
  ]),
  '/ratings/graphql': buildSubgraphSchema([
    {
      typeDefs: parse(RATINGS),
      resolvers: { Item: { __resolveReference: ({ id }: { id: string }) => ({ id, rating: 5 }) } },
    },
  ]),
};

const documents = new Map<string, DocumentNode>();
/** Parses a document once, because the gateways send few different ones. */
function parsed(query: string): DocumentNode {
  const document = documents.get(query) ?? parse(query);
  documents.set(query, document);
  return document;
}

async function answer(request: IncomingMessage): Promise<string> {
  const schema = schemas[request.url ?? ''];
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (!schema) return '{"errors":[{"message":"There is no subgraph at this path"}]}';
  const { query, variables, operationName } = JSON.parse(String(Buffer.concat(chunks)));
  requests += 1;
  const document = parsed(query);
  return JSON.stringify(
    await execute({ schema, document, variableValues: variables, operationName }),
  );
}

const server = createServer(async (request, response) => {
  const text = await answer(request);
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
});
useServer(
  { schema: schemas['/items/graphql'] as GraphQLSchema },
  new WebSocketServer({ server, path: '/items/graphql' }),
);

process.on('message', ({ burst = 0 }: { burst?: number }) => {
  for (let count = 0; count < burst; count += 1) {
    sent += 1;
    const at = performance.timeOrigin + performance.now();
    const item = itemOf(String(sent % 100));
    ticking.emit(TICK, { n: sent, at, text: 'x'.repeat(150), item });
  }
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, streams: ticking.listenerCount(TICK), requests, sent });
});
server.listen(Number(argv[2] ?? 0), '127.0.0.1', () => process.send?.({}));
