import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createHttpServer, type RunningHttp, startHttp } from './http-server.ts';

const DRAIN_MS = 300;
const CLIENTS = 24;

const running: RunningHttp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/**
 * Starts a server whose `POST /work` responds after a short time, so that there are always requests in
 * flight.
 */
async function startServer({ drainMs = DRAIN_MS } = {}): Promise<RunningHttp> {
  const health = createHealth();
  const app = createHttpServer({ health, metrics: createMetrics('test') });
  app.post('/work', async () => {
    await sleep(Math.random() * 10);
    return { done: true };
  });
  const log = pino({ level: 'silent' });
  const server = await startHttp({ app, host: '127.0.0.1', port: 0, drainMs, log, health });
  running.push(server);
  return server;
}

function work(url: string): Promise<Response> {
  return fetch(`${url}/work`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
}

it('sends `connection: close` while it drains, and still serves requests', async () => {
  const server = await startServer();
  expect((await work(server.url)).headers.get('connection')).toBe('keep-alive');
  const stopped = server.stop();
  const readiness = await fetch(`${server.url}/readyz`);
  expect(readiness.status).toBe(503);
  const answer = await work(server.url);
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  await stopped;
  await expect(work(server.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

it('stops without waiting for a connection on which no request was sent', async () => {
  const server = await startServer({ drainMs: 0 });
  const silent = connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  silent.resume();
  const from = performance.now();
  await Promise.all([server.stop(), closed]);
  expect(performance.now() - from).toBeLessThan(5_000);
});

it('fails no request of clients that reuse connections and leave when /readyz reports 503', async () => {
  // The drain is long enough for many polls of /readyz, because each poll is slow on a busy machine.
  const [leaving, staying] = await Promise.all([startServer({ drainMs: 1_500 }), startServer()]);
  let ready = [leaving, staying];
  const failures: unknown[] = [];
  let answered = 0;
  let over = false;

  const balance = async (): Promise<void> => {
    while (!over) {
      const { status } = await fetch(`${leaving.url}/readyz`).catch(() => ({ status: 0 }));
      if (status !== 200) ready = [staying];
      await sleep(20);
    }
  };
  const ask = async (client: number): Promise<void> => {
    for (let turn = client; !over; turn += 1) {
      const server = ready[turn % ready.length] ?? staying;
      try {
        const answer = await work(server.url);
        await answer.json();
        answered += 1;
      } catch (error) {
        failures.push(error instanceof Error ? (error.cause ?? error) : error);
      }
    }
  };
  const asking = [balance(), ...Array.from({ length: CLIENTS }, (_, client) => ask(client))];
  const atLeast = async (more: number): Promise<void> => {
    const wanted = answered + more;
    await expect
      .poll(() => answered >= wanted, {
        message: `${more} more requests are answered`,
      })
      .toBe(true);
  };
  await atLeast(200);
  await leaving.stop();
  await atLeast(200);
  over = true;
  await Promise.all(asking);
  expect(failures).toEqual([]);
}, 20_000);

describe('a request that cannot be read', () => {
  const send = async (text: string): Promise<string> => {
    const { url } = await startServer({ drainMs: 0 });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end(text);
    return readAll(socket);
  };

  it.each([
    ['that is no HTTP', 'nonsense\r\n\r\n', 400],
    ['with a malformed percent-encoding', 'GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    [
      'with a malformed chunk',
      'POST /work HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
      400,
    ],
    ['with large headers', `GET / HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'with a body above the limit',
      'POST /work HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n',
      413,
    ],
    [
      'with a path that is not served',
      'GET /no HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      404,
    ],
    [
      'of an unknown media type',
      'POST /work HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 1\r\n\r\n1',
      415,
    ],
  ])('is answered with the default headers: one %s', async (_what, text, status) => {
    const answer = (await send(text)).toLowerCase();
    const [head = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^http/1.1 ${status} `));
    expect(head).toContain('x-content-type-options: nosniff');
    expect(head).toContain("content-security-policy: default-src 'none'");
  });
});
