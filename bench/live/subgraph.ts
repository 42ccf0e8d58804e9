/** Child process with two subgraphs: ticks, sent on request, and ratings of their items. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type DocumentNode, execute, parse } from 'graphql';
import { type WebSocket, WebSocketServer } from 'ws';

const schema = buildSchema(`
  type Query { ticks: Int }
  type Subscription { ticked(tag: String, after: String): Tick! }
  type Tick { item: Item! n: Int! at: Float! text: String! cursor: String! }
  type Item { id: ID! }
`);

interface Stream {
  readonly socket: WebSocket;
  readonly id: string;
  readonly document: DocumentNode;
  readonly variables: Record<string, unknown>;
}

const streams = new Map<string, Stream>();
let requests = 0;
let sent = 0;
let subscribed = 0;
let n = 0;

const http = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { variables } = JSON.parse(String(Buffer.concat(chunks)));
  const representations: unknown[] = variables?.representations ?? [];
  requests += 1;
  response.setHeader('content-type', 'application/json');
  const _entities = representations.map(() => ({ rating: 5 }));
  response.end(JSON.stringify({ data: { _entities } }));
});

let connections = 0;
new WebSocketServer({ server: http, path: '/graphql' }).on('connection', (socket) => {
  connections += 1;
  const connection = connections;
  socket.on('message', (data) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'ping') socket.send('{"type":"pong"}');
    if (type === 'complete') streams.delete(`${connection} ${id}`);
    if (type !== 'subscribe') return;
    const document = parse(payload.query);
    const stream = { socket, id, document, variables: payload.variables ?? {} };
    streams.set(`${connection} ${id}`, stream);
    subscribed += 1;
    for (let missed = cursorOf(stream) + 1; missed <= n; missed += 1) send(stream, missed);
  });
});

/** Returns the number in the stream's cursor. Without a cursor, it returns the newest number. */
function cursorOf({ document, variables }: Stream): number {
  let number = n;
  const ticked = ({ after }: { after?: string }): void => {
    if (after !== undefined) number = Number(after.slice(1));
  };
  void execute({ schema, document, rootValue: { ticked }, variableValues: variables });
  return number;
}

function send({ socket, id, document, variables }: Stream, number: number): void {
  const ticked = {
    item: { id: String(number % 1000) },
    n: number,
    at: performance.timeOrigin + performance.now(),
    text: 'x'.repeat(150),
    cursor: `c${number}`,
  };
  const payload = execute({ schema, document, rootValue: { ticked }, variableValues: variables });
  socket.send(JSON.stringify({ id, type: 'next', payload }));
  sent += 1;
}

/** Sends one event to all streams. The event contains its time of creation. */
function tick(): void {
  n += 1;
  for (const stream of streams.values()) send(stream, n);
}

process.on('message', ({ burst = 0 }: { burst?: number }) => {
  for (let count = 0; count < burst; count += 1) tick();
  const { port } = http.address() as AddressInfo;
  process.send?.({ port, streams: streams.size, requests, sent, subscribed });
});
http.listen(0, '127.0.0.1', () => process.send?.({}));
