/** Reference for the gateway: a bare `ws` server that sends one text to all its clients. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocketServer } from 'ws';

const HEAD = '{"id":"6f1c2a52-8d0b-4a49-9d53-3f6f0c1f6a11","type":"next","payload":';
const http = createServer();
const websockets = new WebSocketServer({ server: http, path: '/graphql' });
websockets.on('connection', (socket) => {
  // Implements only the acknowledgement of graphql-transport-ws.
  socket.on('message', (data) => {
    if (String(data).includes('connection_init')) socket.send('{"type":"connection_ack"}');
  });
});
let n = 0;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

interface Asked {
  readonly burst?: number;
  readonly fields?: string;
  /** Asks for the memory after garbage collection. */
  readonly memory?: true;
}

process.on('message', ({ burst = 0, fields = '', memory }: Asked) => {
  if (memory) {
    for (let count = 0; count < 4; count += 1) collect();
    process.send?.(process.memoryUsage());
    return;
  }
  for (let count = 0; count < burst; count += 1) {
    n += 1;
    const at = performance.timeOrigin + performance.now();
    const data = `{"data":{"ticked":{"n":${n},"at":${at},"text":"${'x'.repeat(150)}"${fields}}}}`;
    const message = Buffer.from(`${HEAD}${data}}`);
    for (const socket of websockets.clients) socket.send(message, { binary: false });
  }
  const { port } = http.address() as AddressInfo;
  process.send?.({ port, streams: websockets.clients.size, requests: 0, sent: n });
});
http.listen(0, '127.0.0.1', () => process.send?.({}));
