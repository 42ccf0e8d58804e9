import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createHttpServer } from './http-server.ts';
import { allowUnread, closeUnread } from './unread-answers.ts';

const WITHIN_MS = 400;
/** More than the buffers of the operating system hold. */
const BODY = Buffer.alloc(32 * 1024 * 1024, 'x');

let server: Server;
let handle: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  handle = (_request, response) => response.end(BODY);
  server = createServer((request, response) => handle(request, response));
  closeUnread(server, WITHIN_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function request(): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  return socket;
}

const closedAtServer = () =>
  new Promise<void>((resolve) => {
    handle = (_request, response) => {
      response.on('close', resolve);
      response.end(BODY);
    };
  });

/** Reads the rest of an answer whose connection the server has closed. @returns its size */
async function readRest(socket: Socket): Promise<number> {
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(socket, 'close');
  return received;
}

it('closes the connection of a client that reads nothing', async () => {
  const closed = closedAtServer();
  const socket = request();
  await closed;
  expect(await readRest(socket)).toBeLessThan(BODY.length);
});

it('closes the connection of a client that stops reading', async () => {
  const closed = closedAtServer();
  const socket = request();
  await once(socket, 'readable');
  const received = socket.read()?.length ?? 0;
  await closed;
  expect(received + (await readRest(socket))).toBeLessThan(BODY.length);
});

it('does not close the connection of a client that reads slowly', async () => {
  const socket = request();
  let received = 0;
  // The client reads for several times the time-out.
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), WITHIN_MS / 100);
  });
  while (received < BODY.length) await once(socket, 'data');
  socket.destroy();
});

it('does not close a connection that waits for its answer', async () => {
  let timeouts = 0;
  handle = (_request, response) => {
    server.on('timeout', () => {
      timeouts += 1;
      if (timeouts === 3) response.end('late');
    });
  };
  const socket = request();
  const [chunk] = await once(socket, 'data');
  expect(String(chunk)).toContain('late');
  socket.destroy();
});

it('does not close an unread stream until it ends', async () => {
  let timedOut = 0;
  const closed = new Promise<void>((resolve) => {
    handle = ({ socket }, response) => {
      response.on('close', resolve);
      const forbid = allowUnread(socket);
      response.write(BODY);
      handle = () => {};
      // The other connection, which waits for its answer, shows that the time has passed.
      server.on('timeout', () => {
        timedOut += 1;
        if (timedOut !== 2) return;
        expect(socket.destroyed).toBe(false);
        forbid();
        response.end();
      });
    };
  });
  const socket = request();
  await once(socket, 'readable');
  const waiting = request();
  await closed;
  expect(timedOut).toBeGreaterThan(2);
  expect(await readRest(socket)).toBeLessThan(BODY.length);
  waiting.destroy();
});

it('applies to every request of an HTTP server after 30 seconds', async () => {
  const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
  app.get('/', ({ raw }) => String(raw.socket.timeout));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  expect(await (await fetch(url)).text()).toBe('30000');
  expect(app.server.listenerCount('timeout')).toBe(1);
  await app.close();
});

it('leaves no time-out on upgraded connections', async () => {
  const upgraded = new Promise<Socket>((resolve) => {
    server.on('upgrade', (_request, socket: Socket) => resolve(socket));
  });
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  const socket = await upgraded;
  expect(socket.timeout ?? 0).toBe(0);
  socket.destroy();
  client.destroy();
});
