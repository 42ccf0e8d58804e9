import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execute, getOperationAST, parse } from 'graphql';
import { MessageType } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Call, echoRoot, echoSchema } from './echo-graph.ts';

interface SubgraphRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
  /** Root fields besides those that are recorded. */
  readonly root?: object;
}

export interface RecordedCall extends Call {
  /** Position in the order of all calls. */
  readonly number: number;
}

/** A subgraph that records the root fields that it executes. */
export interface RecordingSubgraph {
  readonly url: string;
  /** Removes and returns the calls of a request. */
  readonly take: (request: string) => RecordedCall[];
  /** Calls that have not been taken. */
  readonly left: () => readonly Call[];
  readonly stop: () => Promise<void>;
}

/** Returns the part of a call's marker that names its request: the part before the first colon. */
export function requestOf({ marker }: Call): string {
  return marker.split(':', 1)[0] ?? '';
}

/** Starts the recording subgraph in this process, on a free port, over HTTP and websockets. */
export async function startRecordingSubgraph(): Promise<RecordingSubgraph> {
  const calls = new Map<string, RecordedCall[]>();
  let last = 0;
  const rootValue = echoRoot((call) => {
    const request = requestOf(call);
    last += 1;
    const recorded = { ...call, number: last };
    const same = calls.get(request);
    if (same) same.push(recorded);
    else calls.set(request, [recorded]);
  });
  const run = async ({ query, variables, operationName, root }: SubgraphRequest) => {
    const document = parse(query);
    const asked = {
      schema: echoSchema,
      document,
      rootValue: { ...rootValue, ...root },
      variableValues: variables ?? null,
    };
    return execute({ ...asked, ...(operationName ? { operationName } : {}) });
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const result = await run(JSON.parse(String(Buffer.concat(chunks))));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result));
  };
  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end());
  });
  const sockets = new WebSocketServer({ server: http, path: '/graphql' });
  sockets.on('connection', (socket) => serveSubscriptions(socket, run));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`,
    take: (request) => {
      const taken = calls.get(request) ?? [];
      calls.delete(request);
      return taken;
    },
    left: () => [...calls.values()].flat(),
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface FeedArguments {
  readonly count: number;
  readonly size: number;
}

/** Number of unread bytes at which a feed waits. */
const UNREAD = 1024 * 1024;

/** Answers `heard` with one event, and `feed` with as many events as its argument says. */
function serveSubscriptions(
  socket: WebSocket,
  run: (request: SubgraphRequest) => Promise<unknown>,
): void {
  const running = new Set<string>();
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const answer = async (id: string, payload: SubgraphRequest): Promise<void> => {
    const document = parse(payload.query);
    const kind = getOperationAST(document, payload.operationName)?.operation;
    if (kind !== 'subscription') throw new Error(`a ${kind} arrived over a websocket`);
    let count = 1;
    for (let n = 1; n <= count && running.has(id) && socket.readyState === socket.OPEN; n += 1) {
      while (socket.bufferedAmount > UNREAD) await new Promise((resolve) => setTimeout(resolve, 5));
      const feed = (args: FeedArguments) => {
        count = args.count;
        return { n, text: 'x'.repeat(args.size) };
      };
      send({ id, type: MessageType.Next, payload: await run({ ...payload, root: { feed } }) });
    }
    if (running.delete(id)) send({ id, type: MessageType.Complete });
  };
  socket.on('message', (data) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (type === MessageType.ConnectionInit) send({ type: MessageType.ConnectionAck });
    if (type === MessageType.Ping) send({ type: MessageType.Pong });
    if (type === MessageType.Complete) running.delete(id);
    if (type !== MessageType.Subscribe) return;
    running.add(id);
    answer(id, payload).catch(() => socket.close(4500));
  });
}
