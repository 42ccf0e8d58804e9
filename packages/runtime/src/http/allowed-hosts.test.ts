import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHealth } from '../health.ts';
import { createMetrics } from '../metrics.ts';
import { createAllowedHosts } from './allowed-hosts.ts';
import { createHttpServer } from './http-server.ts';
import { serveUpgrades } from './upgrades.ts';

const LOCAL = ['127.0.0.1', '127.0.0.1:4000', 'localhost:4000', 'LOCALHOST', '[::1]:4000'];
const NAMED = ['app.localhost:4000', 'localhost.:4000'];
const FOREIGN = [
  ...['evil.example', 'evil.example:4000', 'localhost.evil.example', '127.0.0.1.evil.example'],
  ...[
    '0.0.0.0:4000',
    '10.0.0.1',
    '[::2]:4000',
    'evil.example@localhost',
    'localhost:4000/x',
    '',
    ' ',
  ],
];

describe('the check of hosts', () => {
  it.each(['127.0.0.1', '::1', 'LocalHost'])('allows only loopback hosts on %s', (HOST) => {
    const { allows } = createAllowedHosts({ HOST, ALLOWED_HOSTS: [] });
    for (const host of [...LOCAL, ...NAMED]) expect(allows(host), host).toBe(true);
    for (const host of [...FOREIGN, undefined]) expect(allows(host), host).toBe(false);
  });

  it('allows any host on other addresses if none is listed', () => {
    const { allows } = createAllowedHosts({ HOST: '0.0.0.0', ALLOWED_HOSTS: [] });
    for (const host of [...LOCAL, ...FOREIGN]) expect(allows(host), host).toBe(true);
  });

  it.each(['127.0.0.1', '0.0.0.0'])('allows listed and loopback hosts on %s', (HOST) => {
    const { allows } = createAllowedHosts({
      HOST,
      ALLOWED_HOSTS: ['Shop.example', '[2001:db8::1]'],
    });
    for (const host of ['shop.example', 'SHOP.example:443', 'shop.example.', '[2001:DB8::1]:80']) {
      expect(allows(host), host).toBe(true);
    }
    for (const host of LOCAL) expect(allows(host), host).toBe(true);
    for (const host of [...FOREIGN, 'a.shop.example']) expect(allows(host), host).toBe(false);
  });
});

it('lets probes send any host, and none read the metrics of a server on a loopback address', () => {
  const local = createAllowedHosts({ HOST: '127.0.0.1', ALLOWED_HOSTS: [] });
  const listed = createAllowedHosts({ HOST: '0.0.0.0', ALLOWED_HOSTS: ['shop.example'] });
  for (const { allows } of [local, listed]) {
    for (const path of ['/healthz', '/readyz']) {
      expect(allows('10.0.0.7:4000', path)).toBe(true);
      expect(allows(undefined, path)).toBe(true);
    }
    expect(allows('10.0.0.7:4000', '/graphql')).toBe(false);
    expect(allows('10.0.0.7:4000', undefined)).toBe(false);
  }
  expect(listed.allows('10.0.0.7:4000', '/metrics')).toBe(true);
  expect(local.allows('evil.example', '/metrics')).toBe(false);
});

let stop = async (): Promise<void> => {};
afterEach(() => stop());

/** Starts a server with a route and an upgrade handler, which count their calls. */
async function startServer() {
  const served = vi.fn();
  const app = createHttpServer({
    health: createHealth(),
    metrics: createMetrics('test'),
    hosts: createAllowedHosts({ HOST: '127.0.0.1', ALLOWED_HOSTS: [] }),
  });
  app.all('/', () => {
    served();
    return {};
  });
  serveUpgrades(
    app,
    (_request, socket) => {
      served();
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    },
    pino({ level: 'silent' }),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  stop = () => app.close();
  const { port } = app.server.address() as AddressInfo;
  const send = async (start: string, headers: readonly string[]): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write([`${start} HTTP/1.1`, ...headers, 'connection: close', '', ''].join('\r\n'));
    return text(socket);
  };
  return { send, served, app, port };
}

describe('a server on a loopback address', () => {
  it.each(['GET /', 'POST /', 'OPTIONS /', 'GET /metrics', 'GET /unknown'])(
    'rejects `%s` with a foreign host',
    async (start) => {
      const { send, served } = await startServer();
      const answer = await send(start, ['host: evil.example:4000', 'content-length: 0']);
      expect(answer).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
      expect(answer).toContain('ALLOWED_HOSTS');
      expect(answer).toContain('x-content-type-options: nosniff');
      expect(served).not.toHaveBeenCalled();
      expect(await send('GET /', ['host: localhost:1'])).toContain(' 200 OK');
    },
  );

  it.each(['/healthz', '/readyz'])('answers %s for every host', async (path) => {
    const { send } = await startServer();
    expect(await send(`GET ${path}`, ['host: 10.0.0.7:4000'])).toContain(' 200 OK');
  });

  it('rejects an upgrade with a foreign host', async () => {
    const { send, served } = await startServer();
    const upgrade = ['connection: Upgrade', 'upgrade: websocket'];
    const refused = await send('GET /', ['host: evil.example', ...upgrade]);
    expect(refused).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
    expect(refused).toContain('x-content-type-options: nosniff');
    expect(served).not.toHaveBeenCalled();
    expect(await send('GET /', ['host: [::1]:4000', ...upgrade])).toContain(' 101 ');
  });
});
