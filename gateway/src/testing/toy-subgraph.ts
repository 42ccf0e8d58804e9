import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, type GraphQLResolveInfo, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

export type Resolver = (
  parent: Record<string, unknown>,
  args: Record<string, unknown>,
  context: unknown,
  info: GraphQLResolveInfo,
) => unknown;
type Resolvers = Record<string, Record<string, Resolver | { subscribe: Resolver }>>;

export interface ToySubgraph {
  readonly url: string;
  /** Operations received over HTTP, oldest first. */
  readonly requests: {
    readonly query: string;
    readonly variables: Readonly<Record<string, unknown>> | undefined;
    readonly headers: IncomingMessage['headers'];
  }[];
  readonly sockets: () => number;
  /** Operations received over websockets, oldest first, with their extensions. */
  readonly operations: { readonly params: unknown; readonly extensions: unknown }[];
  /** Returns further headers of an answer over HTTP. */
  answerHeaders: (request: IncomingMessage['headers']) => OutgoingHttpHeaders;
  /**
   * Status and text that replace the GraphQL answer over HTTP; undefined to send the GraphQL
   * answer.
   */
  breakWith: { status: number; text: string } | undefined;
  /** Whether HTTP requests stay unanswered. */
  stalled: boolean;
  /**
   * Computes the next answer at once, but sends it only when the returned function is called.
   * @returns a function, with the status and text that replace the answer
   */
  readonly holdNext: () => (replaced?: ToySubgraph['breakWith']) => void;
  /** Closes all websockets with this code. */
  readonly closeSockets: (code: number) => void;
  /** Ends all connections at once, as a killed process would. */
  readonly kill: () => Promise<void>;
}

/**
 * Starts a subgraph in this process, on a free or given port, over HTTP and graphql-transport-ws. The
 * context of its resolvers is the headers of the request, or of the request that opened the websocket.
 */
export async function startToySubgraph(
  typeDefs: DocumentNode,
  resolvers: Resolvers,
  port = 0,
): Promise<ToySubgraph> {
  const schema = buildSubgraphSchema([{ typeDefs, resolvers: resolvers as never }]);
  const requests: ToySubgraph['requests'] = [];
  let held: Promise<ToySubgraph['breakWith']> | undefined;
  const http = createServer(async (request, response) => {
    if (toy.stalled) return;
    if (request.method !== 'POST') {
      response.writeHead(404).end('no such page');
      return;
    }
    if (toy.breakWith) {
      response.writeHead(toy.breakWith.status).end(toy.breakWith.text);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { query: source, variables, operationName } = JSON.parse(String(Buffer.concat(chunks)));
    const until = held;
    held = undefined;
    requests.push({ query: source, variables, headers: request.headers });
    const result = await graphql({
      schema,
      source,
      contextValue: request.headers,
      variableValues: variables ?? null,
      operationName: operationName ?? null,
    });
    const text = JSON.stringify(result);
    const replaced = await until;
    if (replaced) {
      response.writeHead(replaced.status).end(replaced.text);
      return;
    }
    const headers = toy.answerHeaders(request.headers);
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(text);
  });
  const websockets = new WebSocketServer({ server: http, path: '/graphql' });
  const operations: ToySubgraph['operations'] = [];
  useServer(
    {
      schema,
      context: ({ extra }) => extra.request.headers,
      onSubscribe: ({ connectionParams: params }, _id, { extensions }) =>
        void operations.push({ params, extensions }),
    },
    websockets,
  );
  await new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve));
  const toy: ToySubgraph = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
    requests,
    operations,
    answerHeaders: () => ({}),
    sockets: () => websockets.clients.size,
    breakWith: undefined,
    stalled: false,
    holdNext: () => {
      let release: ReturnType<ToySubgraph['holdNext']> = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    closeSockets: (code) => {
      for (const socket of websockets.clients) socket.close(code);
    },
    kill: async () => {
      for (const socket of websockets.clients) socket.terminate();
      websockets.close();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
  return toy;
}
