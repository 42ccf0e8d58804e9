/**
 * Child process with stubs of both subgraphs, without databases. The benchmark thus measures only
 * the page.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, type DocumentNode, execute, Kind, parse } from 'graphql';
import { WebSocketServer } from 'ws';

/** Load that the stub subgraphs generate. */
export interface StubLoad {
  /** Changes per second. */
  readonly perSecond: number;
  /** Number of stocks that change, counted from the first stock. */
  readonly among: number;
}

const TICK_MS = 10;
const supergraph = new URL('../../gateway/supergraph.graphql', import.meta.url);
/** Schema with all fields of both subgraphs. */
const schema = buildSchema(readFileSync(supergraph, 'utf8'), { assumeValid: true });

const count = Number(process.argv[2]);
const now = (): string => new Date().toISOString();
const stocks = Array.from({ length: count }, (_, index) => ({
  id: `sku-${String(index).padStart(4, '0')}`,
  name: `Kopi ${index} 250 g`,
  quantity: 1_000,
  version: 0,
  movements: { nodes: [] },
}));
const streams = new Map<string, { send: (text: string) => void; document: DocumentNode }>();
let position = 0;
let sent = 0;

const rootValue = {
  stockCursor: () => `c${position}`,
  orderCursor: () => 'c0',
  order: () => null,
  stock: ({ id }: { id: string }) => stocks.find((stock) => stock.id === id) ?? null,
  stocks: ({ first, after }: { first: number; after: string | null }) => {
    const from = Number(after ?? 0);
    const hasNextPage = from + first < stocks.length;
    const pageInfo = { hasNextPage, endCursor: String(from + first) };
    return { nodes: stocks.slice(from, from + first), pageInfo };
  },
  orders: () => ({ nodes: [] }),
};

const http = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { query, variables } = JSON.parse(String(Buffer.concat(chunks)) || '{}');
  response.setHeader('content-type', 'application/json');
  if (!query) return response.end('{}');
  const result = await execute({
    schema,
    document: parse(query),
    rootValue,
    variableValues: variables,
  });
  response.end(JSON.stringify(result));
});

let connections = 0;
new WebSocketServer({ server: http }).on('connection', (socket) => {
  connections += 1;
  const connection = connections;
  socket.on('message', (data) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'ping') socket.send('{"type":"pong"}');
    if (type === 'complete') streams.delete(`${connection} ${id}`);
    if (type !== 'subscribe') return;
    const send = (text: string): void => socket.send(text.replace('"#"', JSON.stringify(id)));
    streams.set(`${connection} ${id}`, { send, document: parse(payload.query) });
  });
});

/** Whether a stream is the stream of orders, which has no events here. */
function isOfOrders({ definitions: [operation] }: DocumentNode): boolean {
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return false;
  const [root] = operation.selectionSet.selections;
  return root?.kind === Kind.FIELD && root.name.value === 'ordersChanged';
}

/** Makes a change; every second change is an order. */
function change(among: number): void {
  const stock = stocks[Math.floor(Math.random() * Math.min(among, count))];
  if (!stock) return;
  position += 1;
  const isOrder = position % 2 === 0;
  const delta = isOrder ? -1 - Math.floor(Math.random() * 3) : Math.floor(Math.random() * 5);
  stock.quantity += delta;
  stock.version += 1;
  const stockChanged = {
    kind: isOrder ? 'ORDERED' : 'ADJUSTED',
    delta,
    stock,
    order: isOrder ? { id: `order-${position}` } : null,
    cursor: `c${position}`,
    at: now(),
  };
  for (const { send, document } of streams.values()) {
    if (isOfOrders(document)) continue;
    const payload = execute({ schema, document, rootValue: { stockChanged } });
    send(JSON.stringify({ id: '#', type: 'next', payload }));
    sent += 1;
  }
}

let speed: StubLoad = { perSecond: 0, among: 1 };
let since = performance.now();
let done = 0;
setInterval(() => {
  const due = ((performance.now() - since) / 1000) * speed.perSecond;
  for (; done < due; done += 1) change(speed.among);
}, TICK_MS);

process.on('message', (message: StubLoad) => {
  speed = message;
  since = performance.now();
  done = 0;
  const { port } = http.address() as AddressInfo;
  process.send?.({ port, sent });
});
http.listen(0, '127.0.0.1', () => process.send?.({}));
