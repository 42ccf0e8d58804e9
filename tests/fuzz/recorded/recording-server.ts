import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getOperationAST, graphql, parse } from 'graphql';
import { MessageType } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { echoRoot, echoSchema } from '../requests/echo-graph.ts';

/** A request that a client has sent. */
export interface Recorded {
  readonly method: string;
  readonly target: string;
  /** Headers in order, as the client has written them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Messages of a websocket, in order; undefined for HTTP. */
  readonly messages?: string[];
}

export interface RecordingServer {
  readonly host: string;
  /** Returns the requests since the last call. */
  readonly take: () => Recorded[];
  readonly stop: () => Promise<void>;
}

interface Asked {
  readonly query?: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

/** Starts a GraphQL server that records the requests of clients, and answers them. */
export async function startRecordingServer(): Promise<RecordingServer> {
  let recorded: Recorded[] = [];
  const http = createServer((request, response) => {
    serve(request, response, recorded).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  sockets.on('connection', (socket, request) => {
    const messages: string[] = [];
    recorded.push({ ...headOf(request), body: '', messages });
    serveSocket(socket, messages);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function headOf({ method = '', url = '', rawHeaders }: IncomingMessage) {
  const headers = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
  );
  return { method, target: url, headers };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  recorded: Recorded[],
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://server');
  // A page of the same origin, from which a browser sends its requests.
  if (url.pathname !== '/graphql') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = String(Buffer.concat(chunks));
  recorded.push({ ...headOf(request), body });
  const { query, variables, operationName } = askedIn(url, body);
  if (query === undefined) {
    const extensions = { code: 'PERSISTED_QUERY_NOT_FOUND' };
    sendJson(response, { errors: [{ message: 'PersistedQueryNotFound', extensions }] });
    return;
  }
  const result = await run({
    query,
    ...(variables && { variables }),
    ...(operationName && { operationName }),
  });
  const { accept = '' } = request.headers;
  const kind = getOperationAST(parse(query), operationName)?.operation;
  if (
    accept.startsWith('text/event-stream') ||
    (kind === 'subscription' && accept.includes('event-stream'))
  ) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: next\ndata: ${JSON.stringify(result)}\n\nevent: complete\ndata:\n\n`);
  } else if (kind === 'subscription') {
    response.writeHead(200, {
      'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    });
    response.end(
      `\r\n--graphql\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ payload: result })}\r\n--graphql--\r\n`,
    );
  } else sendJson(response, result);
}

function askedIn(url: URL, body: string): Asked {
  if (body !== '') return JSON.parse(body);
  const { query, variables, operationName } = Object.fromEntries(url.searchParams);
  return {
    ...(query && { query }),
    ...(operationName && { operationName }),
    ...(variables && { variables: JSON.parse(variables) }),
  };
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function run({ query = '', variables, operationName }: Asked) {
  return graphql({
    schema: echoSchema,
    source: query,
    rootValue: echoRoot(() => {}),
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  });
}

function serveSocket(socket: WebSocket, messages: string[]): void {
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const answer = async (id: string, payload: Asked): Promise<void> => {
    send({ id, type: MessageType.Next, payload: await run(payload) });
    send({ id, type: MessageType.Complete });
  };
  socket.on('message', (data) => {
    messages.push(String(data));
    const { id, type, payload } = JSON.parse(String(data));
    if (type === MessageType.ConnectionInit) send({ type: MessageType.ConnectionAck });
    if (type === MessageType.Ping) send({ type: MessageType.Pong });
    if (type === MessageType.Subscribe) answer(id, payload).catch(() => socket.close(4500));
  });
}
