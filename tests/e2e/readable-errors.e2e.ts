import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript, type ScriptResult } from '@gudang/testing/system/run-script';
import type { Environment } from '@gudang/testing/system/service-process';
import { type Service, scriptOf } from '@gudang/testing/system/system';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const built = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const START = built('packages/embedded/dist/start.js');
const MIGRATE = built('prisma/dist/migrate.js');
const UNREACHABLE_DATABASE = 'postgresql://somebody:geheim@127.0.0.1:1/nothing';

/** Asserts that the process exited with code 1 and printed a message without a stack trace. */
function expectReadable(ended: ScriptResult): void {
  const all = ended.lines.join('\n');
  expect(ended, all).toMatchObject({ code: 1, signal: null });
  expect(all).not.toMatch(/^\s+at \S+ \(|^\s+at file:|(?<!Syntax )Error:|node:internal/m);
  expect(all).not.toContain('geheim');
}

let taken: Server;
let takenPort: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gudang-errors-'));
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  takenPort = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  taken.close();
  await rm(folder, { recursive: true, force: true });
});

const ENOUGH: Record<Service, Environment> = {
  order: { ORDER_DATABASE_URL: UNREACHABLE_DATABASE, KAFKA_BROKERS: '127.0.0.1:1' },
  stock: { STOCK_DATABASE_URL: UNREACHABLE_DATABASE, KAFKA_BROKERS: '127.0.0.1:1' },
  gateway: {},
};

describe.concurrent('settings', () => {
  const bad: Record<Service, { environment: Environment; named: string[] }> = {
    order: {
      environment: {
        PORT: '65536',
        LOG_LEVEL: 'loud',
        NODE_ENV: 'home',
        ORDER_DATABASE_URL: 'mysql://somebody:geheim@127.0.0.1/order_db',
        KAFKA_BROKERS: 'localhost',
        KAFKA_PARTITIONS: '0',
        KAFKA_REPLICATION: 'two',
        DATABASE_POOL: '1.5',
      },
      named: [
        'PORT',
        'LOG_LEVEL',
        'NODE_ENV',
        'ORDER_DATABASE_URL',
        'KAFKA_BROKERS',
        'KAFKA_PARTITIONS',
        'KAFKA_REPLICATION',
        'DATABASE_POOL',
      ],
    },
    stock: {
      environment: { PORT: 'http', KAFKA_BROKERS: '', DATABASE_POOL: '0' },
      named: ['PORT', 'STOCK_DATABASE_URL', 'KAFKA_BROKERS', 'DATABASE_POOL'],
    },
    gateway: {
      environment: {
        PORT: '-1',
        SUBGRAPH_URLS: 'order',
        SUBGRAPH_WS_URLS: 'order=http://127.0.0.1/graphql',
        SUBGRAPH_TIMEOUT_MS: '1',
        LIVE_RECONNECT_LIMIT_S: 'never',
      },
      named: [
        'PORT',
        'SUBGRAPH_URLS',
        'SUBGRAPH_WS_URLS',
        'SUBGRAPH_TIMEOUT_MS',
        'LIVE_RECONNECT_LIMIT_S',
      ],
    },
  };

  test.each(Object.entries(bad))(
    'of %s: all invalid settings are listed at once',
    async (name, one) => {
      const ended = await runScript(scriptOf(name as Service), one.environment);
      expectReadable(ended);
      expect(ended.lines.map((line) => /^[A-Z_]+/.exec(line)?.[0]).sort()).toEqual(
        one.named.sort(),
      );
      // Each line names the allowed values, or a missing setting and its purpose.
      for (const line of ended.lines) {
        expect(line).toMatch(/^[A-Z_]+: .+ is not allowed; .{8,}$|^[A-Z_]+ is missing: .{8,}$/);
      }
    },
  );

  test.each(Object.entries(ENOUGH))(
    'of %s: the error names a port that is in use',
    async (name, environment) => {
      const ended = await runScript(scriptOf(name as Service), { ...environment, PORT: takenPort });
      expectReadable(ended);
      const said = ended.lines.filter((line) => !line.startsWith('{') && line.includes(takenPort));
      expect(said).toEqual([expect.stringMatching(/is taken: .*set PORT/)]);
    },
  );

  test.each(Object.entries(ENOUGH))(
    'of %s: a non-loopback address is rejected unless authentication is configured',
    async (name, environment) => {
      const open = { ...environment, HOST: '0.0.0.0' };
      const ended = await runScript(scriptOf(name as Service), open);
      expectReadable(ended);
      expect(ended.lines).toEqual([
        expect.stringMatching(/^HOST: "0.0.0.0" can be reached .* set JWT_JWKS_URL .* or AUTH=off/),
      ]);
      const off = await runScript(
        scriptOf(name as Service),
        { ...open, AUTH: 'off' },
        { args: ['--check'] },
      );
      expect(`${off.stderr}${off.code}`).toBe('0');
    },
  );

  test.each([
    ['does not exist', { SUPERGRAPH: '/nowhere/supergraph.graphql' }, /SUPERGRAPH/],
    ['is not a supergraph', { SUPERGRAPH: built('package.json') }, /SUPERGRAPH|another file/],
    [
      'does not contain a configured subgraph',
      { SUBGRAPH_URLS: 'orders=http://127.0.0.1:1/' },
      /order, stock/,
    ],
  ])(
    'of the gateway: the error names a supergraph file that %s',
    async (_what, environment, said) => {
      const ended = await runScript(scriptOf('gateway'), { PORT: '0', ...environment });
      expectReadable(ended);
      expect(ended.stderr.trim().split('\n')).toEqual([expect.stringMatching(said)]);
    },
  );
});

describe.concurrent('npm run migrate', () => {
  test('names both database URLs when they are missing', async () => {
    const ended = await runScript(MIGRATE, {});
    expectReadable(ended);
    expect(ended.lines).toEqual([
      expect.stringContaining('ORDER_DATABASE_URL'),
      expect.stringContaining('STOCK_DATABASE_URL'),
    ]);
  });

  test('names invalid database URLs', async () => {
    const ended = await runScript(MIGRATE, {
      ORDER_DATABASE_URL: 'order_db',
      STOCK_DATABASE_URL: 'http://127.0.0.1/stock_db',
    });
    expectReadable(ended);
    expect(ended.lines).toEqual([
      expect.stringContaining('ORDER_DATABASE_URL'),
      expect.stringContaining('STOCK_DATABASE_URL'),
    ]);
  });

  test('reports immediately that it waits for an unavailable server', async () => {
    const url = new URL(UNREACHABLE_DATABASE);
    const other = new URL(UNREACHABLE_DATABASE);
    other.pathname = '/other';
    const environment = { ORDER_DATABASE_URL: url.href, STOCK_DATABASE_URL: other.href };
    // This test does not wait for the time-out of 30 s. A unit test covers it with a shorter time-out.
    const { lines, signal } = await runScript(MIGRATE, environment, { within: 3_000 });
    expect(signal).toBe('SIGKILL');
    expect([...lines].sort()).toEqual([
      expect.stringMatching(/^nothing at 127\.0\.0\.1:1 does not answer yet .* up to 30 s$/),
      expect.stringMatching(/^other at 127\.0\.0\.1:1 does not answer yet .* up to 30 s$/),
    ]);
  });
});

describe.concurrent('npm start', () => {
  const start = (environment: Environment): Promise<ScriptResult> =>
    runScript(
      START,
      {
        GUDANG_DIR: join(folder, randomUUID()),
        POSTGRES_PORT: '1',
        KAFKA_PORT: '2',
        GATEWAY_PORT: '3',
        ORDER_PORT: '4',
        STOCK_PORT: '5',
        ...environment,
      },
      // `npm start` starts a process per service to read the settings, which is slow on a loaded machine.
      { within: 45_000 },
    );

  test('lists all invalid settings and all ports in use at once', async () => {
    const ended = await start({
      GATEWAY_PORT: 'http',
      ORDER_PORT: takenPort,
      KAFKA_PARTITIONS: 'many',
      SUBGRAPH_TIMEOUT_MS: '0',
      STOCK_DATABASE_URL: UNREACHABLE_DATABASE,
    });
    expectReadable(ended);
    const all = ended.lines.join('\n');
    for (const said of [
      /GATEWAY_PORT: "http" is not allowed/,
      new RegExp(`Port ${takenPort} is in use.*ORDER_PORT`),
      /KAFKA_PARTITIONS: "many" is not allowed/,
      /SUBGRAPH_TIMEOUT_MS: "0" is not allowed/,
      /ORDER_DATABASE_URL is missing/,
    ]) {
      expect(all).toMatch(said);
      expect(ended.lines.filter((line) => said.test(line))).toHaveLength(1);
    }
  });

  test.each([
    ['no Java', undefined, /Java, which was not found.*KAFKA_BROKERS/],
    [
      'a Java version that is too old',
      'openjdk version "11.0.2" 2019-01-15',
      /17 or newer; found 11\.0\.2/,
    ],
  ])('names %s and a missing Maven in one list', async (what, version, said) => {
    // The PATH contains only the programs that are added here, so Maven and a newer Java are not found.
    const bin = join(folder, what.replaceAll(' ', '-'));
    await mkdir(bin);
    await symlink(process.execPath, join(bin, 'node'));
    await symlink('/bin/sh', join(bin, 'sh'));
    await symlink('/usr/bin/setpriv', join(bin, 'setpriv'));
    const java = `#!/bin/sh\necho '${version}' >&2\n`;
    if (version) await writeFile(join(bin, 'java'), java, { mode: 0o755 });
    const ended = await start({ PATH: bin });
    expectReadable(ended);
    expect(ended.lines.filter((line) => said.test(line))).toHaveLength(1);
    expect(
      ended.lines.filter((line) => /mvn was not found.*KAFKA_BROKERS/.test(line)),
    ).toHaveLength(1);
  });
});
