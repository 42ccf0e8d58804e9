import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { UpstreamSocket } from './upstream-socket.ts';

let server: WebSocketServer;
let url = '';
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** Opens a connection whose peer does not read until the test resumes the peer. */
async function connect() {
  const got: unknown[] = [];
  const accepted = once(server, 'connection');
  const socket = new UpstreamSocket(url);
  socket.onmessage = ({ data }) => got.push(data);
  const closed = once(socket, 'close');
  const [[other]] = (await Promise.all([accepted, once(socket, 'open')])) as [[WebSocket], unknown];
  other.pause();
  return { socket, other, got, closed };
}

it('drops a terminated connection and its unread messages at once', async () => {
  const { socket, other, got, closed } = await connect();
  other.send('late');
  socket.close(4499, 'Terminated');
  const [code] = await closed;
  expect(code).toBe(1006);
  expect(got).toEqual([]);
});

it('receives messages after a normal close until the close frame is answered', async () => {
  const { socket, other, got, closed } = await connect();
  socket.close(1000);
  other.send('before the answer');
  other.resume();
  const [code] = await closed;
  expect(code).toBe(1000);
  expect(got).toEqual(['before the answer']);
});
