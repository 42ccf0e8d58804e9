import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { badRequest, type RequestError } from '../errors/request-error.ts';
import { LightAbortController } from '../request-deduplication/abort-signal.ts';
import { AbortedError, sendRequest, TimeoutError } from './http-request.ts';

const LONG_MS = 60_000;

let server: Server;
let pool: Pool;
let released: number;
/** Responses that the server has not sent yet. */
let waiting: ServerResponse[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  released = 0;
  waiting = [];
  answer = (response) => waiting.push(response);
  server = createServer((_request, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1 });
});
afterEach(async () => {
  await pool.destroy();
  server.closeAllConnections();
  server.close();
});

const onReleased = (): void => {
  released += 1;
};
const post = (
  ms = LONG_MS,
  signal?: LightAbortController,
  count: (bytes: number) => RequestError | undefined = () => undefined,
) =>
  sendRequest(pool, { method: 'POST', path: '/', body: '{}' }, { ms, signal, count, onReleased });
const arrived = () => once(server, 'request');

describe('sendRequest', () => {
  it('joins the chunks of a body, even if they split a character', async () => {
    const text = 'Kopi ☕ Gayo '.repeat(20_000);
    answer = (response) => {
      response.statusCode = 503;
      const bytes = Buffer.from(text);
      response.write(bytes.subarray(0, 6));
      setImmediate(() => response.end(bytes.subarray(6)));
    };
    expect(await post()).toMatchObject({ statusCode: 503, text, bytes: Buffer.byteLength(text) });
    expect(released).toBe(1);
  });

  it('accepts an empty body', async () => {
    answer = (response) => response.end();
    expect(await post()).toMatchObject({ statusCode: 200, text: '', bytes: 0 });
  });

  it('stops reading a response that is refused', async () => {
    let received = 0;
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      answer = (response) => {
        response.on('close', resolve);
        const write = (): void => {
          while (sent < 100_000_000 && response.write('x'.repeat(65_536))) sent += 65_536;
        };
        response.on('drain', write);
        write();
      };
    });
    const refused = post(LONG_MS, undefined, (bytes) => {
      received += bytes;
      return received > 1_000_000 ? badRequest('too large') : undefined;
    });
    await expect(refused).rejects.toMatchObject({ refusal: { message: 'too large' } });
    await closed;
    expect(received).toBeLessThan(2_000_000);
    expect(sent).toBeLessThan(100_000_000);
    expect(released).toBe(1);
  });

  it('times out without a response, and with an incomplete response', async () => {
    await expect(post(50)).rejects.toBeInstanceOf(TimeoutError);
    answer = (response) => response.write('{');
    await expect(post(50)).rejects.toBeInstanceOf(TimeoutError);
    await expect.poll(() => released).toBe(2);
  });

  it('does not time out if the response arrives while the event loop stalls', async () => {
    answer = (response) => {
      response.end('in time');
      const until = performance.now() + 300;
      while (performance.now() < until);
    };
    expect(await post(200)).toMatchObject({ text: 'in time' });
  });

  it('releases the connection when the request is aborted', async () => {
    const leaving = new LightAbortController();
    const left = post(LONG_MS, leaving);
    await arrived();
    leaving.abort();
    await expect(left).rejects.toBeInstanceOf(AbortedError);
    answer = (response) => response.end('next');
    expect(await post()).toMatchObject({ statusCode: 200, text: 'next', bytes: 4 });
    expect(released).toBe(2);
  });

  it('sends nothing if the request has already been aborted', async () => {
    const left = new LightAbortController();
    left.abort();
    await expect(post(LONG_MS, left)).rejects.toBeInstanceOf(AbortedError);
    answer = (response) => response.end('next');
    await post();
    expect(waiting).toEqual([]);
    expect(released).toBe(2);
  });

  it('times out while it waits for a connection', async () => {
    const first = post();
    await arrived();
    await expect(post(50)).rejects.toBeInstanceOf(TimeoutError);
    expect(released).toBe(0);
    waiting[0]?.end('first');
    await first;
    await expect.poll(() => released).toBe(2);
    expect(waiting).toHaveLength(1);
  });

  it("rejects with undici's error if it cannot connect", async () => {
    server.closeAllConnections();
    server.close();
    await expect(post()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(released).toBe(1);
  });
});
