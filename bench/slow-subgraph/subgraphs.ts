/** Child process with five subgraphs: two that always answer, and three that can be impaired. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IMPAIRED } from './load.ts';

const HEALTHY = ['alpha', 'beta'] as const;
type SubgraphName = (typeof HEALTHY)[number] | (typeof IMPAIRED)[number];

const SLOW_MS = 2_000;
/** Time for which the flapping subgraph answers, and then closes connections, in milliseconds. */
const FLAP_MS = 1_500;

let isImpaired = false;
let since = 0;
/** Open connections, and the highest number of them since the last report. */
const sockets = new Map<SubgraphName, { open: number; most: number }>();

const THING = { __typename: 'Thing', id: '1', name: 'a thing' };
const BODIES = {
  query: JSON.stringify({
    data: { alpha: THING, hanging: THING, slow: THING, flapping: THING, __typename: 'Query' },
  }),
  entities: JSON.stringify({ data: { _entities: [{ rating: 5 }] } }),
};

function answer(name: SubgraphName, body: string, response: ServerResponse): void {
  const send = (): void => {
    response.setHeader('content-type', 'application/json');
    response.end(body);
  };
  if (!isImpaired || name === 'alpha' || name === 'beta') send();
  else if (name === 'slow') setTimeout(send, SLOW_MS);
  else if (name === 'flapping') {
    if (Math.floor((performance.now() - since) / FLAP_MS) % 2 === 0) response.destroy();
    else send();
  }
}

async function serve(name: SubgraphName): Promise<Server> {
  const counted = { open: 0, most: 0 };
  sockets.set(name, counted);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const isEntity = String(Buffer.concat(chunks)).includes('representations');
    answer(name, isEntity ? BODIES.entities : BODIES.query, response);
  });
  server.on('connection', (socket) => {
    counted.open += 1;
    counted.most = Math.max(counted.most, counted.open);
    socket.on('error', () => {});
    socket.once('close', () => {
      counted.open -= 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const urls: Record<string, string> = {};
for (const name of [...HEALTHY, ...IMPAIRED]) {
  const { port } = (await serve(name)).address() as AddressInfo;
  urls[name] = `http://127.0.0.1:${port}/graphql`;
}

process.on('message', (message: { urls?: true; impair?: boolean; sockets?: true }) => {
  if (message.impair !== undefined) {
    isImpaired = message.impair;
    since = performance.now();
  }
  const most = Object.fromEntries([...sockets].map(([name, counted]) => [name, counted.most]));
  if (message.sockets) for (const counted of sockets.values()) counted.most = counted.open;
  process.send?.(message.urls ? urls : most);
});
process.send?.('ready');
