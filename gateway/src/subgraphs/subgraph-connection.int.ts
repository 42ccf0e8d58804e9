import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, it } from 'vitest';
import { createSubgraphConnection, type SubgraphConnection } from './subgraph-connection.ts';

const LONG_MS = 600_000;
const LIMITS = { timeoutMs: LONG_MS, sockets: 1, queue: 0 };
const OPTIONS = { ms: LONG_MS, count: () => undefined };

let server: Server;
let connection: SubgraphConnection;

beforeEach(async () => {
  server = createServer((_request, response) => response.end('{"data":null}'));
  // The server announces this time in `keep-alive`.
  server.keepAliveTimeout = LONG_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  connection = createSubgraphConnection(`http://127.0.0.1:${port}/graphql`, undefined, LIMITS);
});
afterEach(async () => {
  await connection.stop();
  server.closeAllConnections();
  server.close();
});

it('closes an idle connection itself, long before the subgraph would', async () => {
  const connected = once(server, 'connection') as Promise<[Socket]>;
  await connection.post('{}', {}, OPTIONS);
  const [socket] = await connected;
  await once(socket, 'close');
  await connection.post('{}', {}, OPTIONS);
});
