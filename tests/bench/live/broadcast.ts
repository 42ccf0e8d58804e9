/** What the gateway is measured against: a bare `ws` server that sends one text to all its clients. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const HEAD = '{"id":"6f1c2a52-8d0b-4a49-9d53-3f6f0c1f6a11","type":"next","payload":';
const http = createServer();
const websockets = new WebSocketServer({ server: http, path: '/graphql' });
websockets.on('connection', (socket) => {
  // It speaks just enough for the same clients: the acknowledgement.
  socket.on('message', (data) => {
    if (String(data).includes('connection_init')) socket.send('{"type":"connection_ack"}');
  });
});
let n = 0;

process.on('message', ({ burst = 0, fields = '' }: { burst?: number; fields?: string }) => {
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
