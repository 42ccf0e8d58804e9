import { once } from 'node:events';
import { connect } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createHttpServer, type RunningHttp, startHttp } from './http-server.ts';

let server: RunningHttp;
afterEach(() => server.stop());

it('ends a request whose headers take more than ten seconds', async () => {
  const health = createHealth();
  const app = createHttpServer({ health, metrics: createMetrics('test') });
  const log = pino({ level: 'silent' });
  server = await startHttp({ app, host: '127.0.0.1', port: 0, drainMs: 0, log, health });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n');
  const from = performance.now();
  let drops = 0;
  const drip = setInterval(() => {
    drops += 1;
    socket.write(`x-drop-${drops}: 1\r\n`);
  }, 100);
  const closed = once(socket, 'close');
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await closed;
  clearInterval(drip);
  expect(heard).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - from).toBeGreaterThan(9_000);
  expect(drops).toBeGreaterThan(0);
}, 30_000);
