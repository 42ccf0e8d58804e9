import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it, vi } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createHttpServer } from './http-server.ts';

let stop = async (): Promise<void> => {};
afterEach(() => stop());

/** Sends a request to an echo server, and returns the response as text. */
async function send(headers: string, body: string, method = 'POST'): Promise<string> {
  const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
  app.post('/', (request) => request.body);
  // The answer comes after the whole request has arrived.
  app.get('/', async ({ raw: { socket } }) => {
    await vi.waitFor(() => expect(socket.destroyed || socket.bytesRead > body.length).toBe(true));
    await new Promise((resolve) => setImmediate(resolve));
    return {};
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  stop = () => app.close();
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${method} / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n${body}`);
  return text(socket);
}

const JSON_TYPE = 'Content-Type: application/json\r\nTransfer-Encoding: chunked';
const CLOSE = 'Connection: close';
const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;

it('accepts a body in a thousand tiny chunks', async () => {
  const chunks = Array.from({ length: 998 }, () => chunk('1')).join('');
  const body = `${chunk('"')}${chunks}${chunk('"')}${chunk('')}`;
  expect(await send(`${JSON_TYPE}\r\n${CLOSE}`, body)).toMatch(/^HTTP\/1.1 200 /);
});

it('accepts a body in many chunks of at least 64 bytes on average', async () => {
  const chunks = Array.from({ length: 2_000 }, () => chunk('1'.repeat(65))).join('');
  const body = `${chunk(`"${' '.repeat(64)}`)}${chunks}${chunk('"')}${chunk('')}`;
  expect(await send(`${JSON_TYPE}\r\n${CLOSE}`, body)).toMatch(/^HTTP\/1.1 200 /);
});

it('rejects a body in more than a thousand tiny chunks, and closes the connection', async () => {
  const answer = await send(JSON_TYPE, chunk('1').repeat(20_000));
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).toContain("The body's chunks are too small: send at least 64 bytes in each");
});

it('closes the connection of a rejected request whose body continues in tiny chunks', async () => {
  const headers = 'Content-Type: text/odd\r\nTransfer-Encoding: chunked';
  expect(await send(headers, chunk('1').repeat(20_000))).toMatch(/^HTTP\/1.1 415 /);
});

it('answers a GET whose body has tiny chunks', async () => {
  const body = `${chunk('1').repeat(5_000)}${chunk('')}`;
  expect(await send(`${JSON_TYPE}\r\n${CLOSE}`, body, 'GET')).toMatch(/^HTTP\/1.1 200 /);
});

it.each([
  [256, 200],
  [257, 400],
])('answers a Content-Type of %d characters with %d', async (length, status) => {
  const type = 'application/json; a='.padEnd(length, 'x');
  const headers = `Content-Type: ${type}\r\nContent-Length: 2\r\n${CLOSE}`;
  expect(await send(headers, '{}')).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});
