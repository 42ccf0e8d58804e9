import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { API_KEYS, kafkaFrames } from './frames.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;
let received: Buffer;
const clients: Socket[] = [];

/** Stub of a broker. It answers each request with the correlation id of the request. */
beforeEach(async () => {
  received = Buffer.alloc(0);
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let at = 0; at < chunk.length; at += 12) socket.write(answer(chunk.readInt32BE(at + 8)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  proxy = await startTcpProxy({ port, split: kafkaFrames });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.stop();
  server.close();
});

function request(kind: number, id: number): Buffer {
  const frame = Buffer.alloc(12);
  frame.writeInt32BE(8, 0);
  frame.writeInt16BE(kind, 4);
  frame.writeInt32BE(id, 8);
  return frame;
}

function answer(id: number): Buffer {
  const frame = Buffer.alloc(8);
  frame.writeInt32BE(4, 0);
  frame.writeInt32BE(id, 4);
  return frame;
}

async function open() {
  const socket = connect({ port: proxy.port, host: '127.0.0.1' });
  clients.push(socket);
  const answers: number[] = [];
  const state = { socket, answers, lost: false };
  socket.on('data', (chunk) => {
    for (let at = 0; at < chunk.length; at += 8) answers.push(chunk.readInt32BE(at + 4));
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    state.lost = true;
  });
  await once(socket, 'connect');
  return state;
}

it('forwards requests and responses that arrive in several chunks', async () => {
  const { socket, answers } = await open();
  const frame = request(API_KEYS.fetch, 7);
  socket.write(frame.subarray(0, 5));
  await expect.poll(proxy.connections).toBe(1);
  socket.write(frame.subarray(5));
  await eventually(
    () => answers,
    (seen) => seen.includes(7),
  );
});

it('resets open connections and refuses new ones after cut() until restore()', async () => {
  const client = await open();
  await expect.poll(proxy.connections).toBe(1);
  await proxy.cut();
  await expect.poll(() => client.lost).toBe(true);
  expect(proxy.counts.reset).toBe(1);
  const refused = connect({ port: proxy.port, host: '127.0.0.1' });
  const [error] = await once(refused, 'error');
  expect(error.code).toBe('ECONNREFUSED');
  await proxy.restore();
  const again = await open();
  again.socket.write(request(API_KEYS.fetch, 1));
  await expect.poll(() => again.answers).toHaveLength(1);
});

it('holds all data after stall() and sends it after restore()', async () => {
  const client = await open();
  await expect.poll(proxy.connections).toBe(1);
  proxy.stall();
  client.socket.write(request(API_KEYS.fetch, 3));
  const late = await open();
  late.socket.write(request(API_KEYS.fetch, 4));
  await expect.poll(() => proxy.counts.stalled).toBe(2);
  expect(received).toHaveLength(0);
  await proxy.restore();
  await expect.poll(() => [...client.answers, ...late.answers]).toHaveLength(2);
});

it('forwards a request, drops its response and cuts the connection', async () => {
  proxy.dropAnswers(API_KEYS.produce, 'cut', 1);
  const client = await open();
  client.socket.write(request(API_KEYS.fetch, 1));
  client.socket.write(request(API_KEYS.produce, 2));
  await expect.poll(() => client.lost).toBe(true);
  expect(client.answers).not.toContain(2);
  expect(received.includes(request(API_KEYS.produce, 2))).toBe(true);
  expect(proxy.counts.dropped).toBe(1);
});

it('drops a response and keeps the connection open', async () => {
  proxy.dropAnswers(API_KEYS.produce, 'silence');
  const client = await open();
  client.socket.write(request(API_KEYS.produce, 2));
  await expect.poll(() => proxy.counts.dropped).toBe(1);
  expect(client).toMatchObject({ answers: [], lost: false });
});

it('sends held requests after restore(), even when the client has disconnected', async () => {
  proxy.hold(API_KEYS.offsetCommit);
  const client = await open();
  const other = await open();
  client.socket.write(request(API_KEYS.offsetCommit, 5));
  other.socket.write(request(API_KEYS.fetch, 6));
  await eventually(
    () => other.answers,
    (seen) => seen.includes(6),
  );
  await expect.poll(() => proxy.counts.held).toBe(1);
  client.socket.destroy();
  expect(received.includes(request(API_KEYS.offsetCommit, 5))).toBe(false);
  await proxy.restore();
  await expect.poll(() => received.includes(request(API_KEYS.offsetCommit, 5))).toBe(true);
});
