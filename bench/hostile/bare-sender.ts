/**
 * Lower bound for an attack with many events: a bare websocket server in a process of its own, which sends
 * its clients a number of KiB per second, in messages as large as a small event. It answers each message
 * of its parent with its port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

const EVERY_MS = 10;
const MESSAGE = frameOf(Buffer.alloc(250, 'x'));
const MESSAGES = Buffer.concat(Array.from({ length: 1_000 }, () => MESSAGE));

let bytesPerSecond = 0;
const sockets = new Map<WebSocket, Duplex>();
const server = createServer();
const upgrades = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, raw, head) =>
  upgrades.handleUpgrade(request, raw, head, (socket) => {
    sockets.set(socket, raw);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    // The clients begin when the connection is acknowledged, as at the gateway.
    socket.once('message', () => socket.send('{"type":"connection_ack"}'));
  }),
);

let sentAt = performance.now();
setInterval(() => {
  const now = performance.now();
  const each = (bytesPerSecond * (now - sentAt)) / 1_000 / Math.max(sockets.size, 1);
  sentAt = now;
  const count = Math.min(Math.round(each / MESSAGE.length), MESSAGES.length / MESSAGE.length);
  for (const raw of sockets.values()) {
    if (!raw.writableNeedDrain) raw.write(MESSAGES.subarray(0, count * MESSAGE.length));
  }
}, EVERY_MS);

/** Returns an unmasked frame with a text (RFC 6455, 5.2). */
function frameOf(text: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x81, 126, text.length >> 8, text.length & 255]), text]);
}

server.listen(0, '127.0.0.1', () => process.send?.({}));
process.on('message', (asked: { readonly kibPerSecond?: number }) => {
  bytesPerSecond = (asked.kibPerSecond ?? 0) * 1024;
  process.send?.({ port: (server.address() as AddressInfo).port });
});
