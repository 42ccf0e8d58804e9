import { GUEST, USER } from '@gudang/embedded/secured-testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { startLiveClient } from '@gudang/testing/clients/live-client';
import { eventually } from '@gudang/testing/eventually';
import { startNpmStart } from '@gudang/testing/system/npm-start';
import type { Environment, ServiceProcess } from '@gudang/testing/system/service-process';
import { warningsOf } from '@gudang/testing/system/service-process';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTING, type SecuredSystem, type Side, startSecuredSystem } from './secured-system.ts';

let secured: SecuredSystem;

beforeAll(async () => {
  secured = await startSecuredSystem();
  const { code, stderr } = await secured.migrate();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
afterAll(() => secured?.stop());

const WRONG = 'Rahasia-Salah-3';

/** Waits until a process has logged a warning that matches the pattern, and returns the warning. */
async function findWarning(part: ServiceProcess, pattern: RegExp): Promise<string> {
  const lines = () => warningsOf(part).filter((line) => pattern.test(line));
  const [line = ''] = await eventually(lines, (found) => found.length > 0, {
    until: `it logs a warning that matches ${pattern}: ${part.output().slice(-2_000)}`,
  });
  return line;
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: secured.servers.adminUrl('postgres') });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const addStock = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
const createOrder = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';

describe('if all connections use TLS and passwords,', () => {
  it.each([
    ['plain', 'scram-sha-256'],
    ['scram-sha-512', 'plain'],
  ])('an order sent over %s and decided over %s reaches subscribers', async (ofOrder, ofStock) => {
    const [order, stock] = await Promise.all([
      secured.start('order', { KAFKA_SASL_MECHANISM: ofOrder }),
      secured.start('stock', { KAFKA_SASL_MECHANISM: ofStock }),
    ]);
    const gateway = await secured.startGateway(order, stock);
    await Promise.all([order.ready(), stock.ready(), gateway.ready()]);
    const graph = graphAt(`${gateway.url}/graphql`);
    const id = `kopi-${ofOrder}`;
    await dataOf(graph(addStock, { input: { id, name: 'Kopi', quantity: 10 } }));
    const { stockCursor } = await dataOf(graph('{ stockCursor }'));
    const live = await startLiveClient<{
      stockChanged: { kind: string; stock: { quantity: number } };
    }>({
      url: `${gateway.url}/graphql`,
      query: `subscription { stockChanged(ids: ["${id}"], after: "${stockCursor}") { kind stock { quantity } } }`,
    });
    const made = await dataOf(graph(createOrder, { input: { productId: id, quantity: 4 } }));
    const status = async () =>
      (await dataOf(graph(`{ order(id: "${made.createOrder.id}") { status } }`))).order?.status;
    await expect.poll(status, { message: 'the order is confirmed' }).toBe('CONFIRMED');
    await eventually(
      () => live.events,
      (events) => events.some(({ data }) => data?.stockChanged.stock.quantity === 6),
      { until: 'the subscriber receives the order' },
    );
    await live.close();
    expect(
      await query(
        `SELECT DISTINCT application_name AS name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
         WHERE usename = '${USER.name}' ORDER BY name`,
      ),
    ).toEqual([
      { name: 'gudang-relay', ssl: true },
      { name: 'order-subgraph', ssl: true },
      { name: 'stock-subgraph', ssl: true },
    ]);
    for (const part of [gateway, order, stock]) await part.stop();
    expect(await secured.deadLetters({ KAFKA_SASL_MECHANISM: ofStock })).toMatchObject({
      code: 0,
      stdout: 'no dead letters\n',
      stderr: '',
    });
  });
});

it('npm start works with external servers that require TLS and passwords', async () => {
  const started = await startNpmStart({
    ...secured.kafka,
    ...secured.databases,
    KAFKA_TOPIC_PREFIX: `start-${secured.kafka['KAFKA_TOPIC_PREFIX']}`,
    LOG_LEVEL: 'debug',
  });
  try {
    const graph = graphAt(`${started.url}/graphql`);
    await dataOf(graph(addStock, { input: { id: 'started', name: 'Kopi', quantity: 3 } }));
    const made = await dataOf(graph(createOrder, { input: { productId: 'started', quantity: 3 } }));
    const status = async () =>
      (await dataOf(graph(`{ order(id: "${made.createOrder.id}") { status } }`))).order?.status;
    await expect.poll(status, { message: 'the order is confirmed' }).toBe('CONFIRMED');
    started.kill('SIGTERM');
    expect(await started.exited).toEqual({ code: 0, signal: null });
    expect(started.output()).not.toContain(USER.password);
  } finally {
    await started.clear();
  }
});

describe('Kafka connection with', () => {
  it.each<[string, () => Environment, RegExp, RegExp]>([
    ...(['plain', 'scram-sha-256', 'scram-sha-512'] as const).map(
      (mechanism): [string, () => Environment, RegExp, RegExp] => [
        `a wrong password by ${mechanism}`,
        () => ({ KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_PASSWORD: WRONG }),
        /refuses the user or the password$/,
        /set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/,
      ],
    ),
    [
      'a certificate of an untrusted authority',
      () => ({ KAFKA_TLS_CA: secured.servers.otherCa }),
      /shows a certificate that is not trusted \(.+\)$/,
      /set KAFKA_TLS_CA/,
    ],
    [
      'a certificate of another host',
      () => ({ KAFKA_BROKERS: secured.servers.brokers.replace('127.0.0.1', 'localhost') }),
      /shows a certificate that is not trusted \(Hostname.+\)$/,
      /KAFKA_BROKERS to the certificate's names/,
    ],
    [
      'no TLS',
      () => ({ KAFKA_TLS: 'false', KAFKA_TLS_CA: '' }),
      /does not answer$/,
      /KAFKA_TLS and KAFKA_SASL_MECHANISM to what it expects/,
    ],
    [
      'no credentials',
      () => ({ KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USERNAME: '', KAFKA_SASL_PASSWORD: '' }),
      /does not answer$/,
      /KAFKA_TLS and KAFKA_SASL_MECHANISM to what it expects/,
    ],
    [
      'a user without permissions',
      () => ({ KAFKA_SASL_USERNAME: GUEST.name, KAFKA_SASL_PASSWORD: GUEST.password }),
      /denies this user a required operation \(\w+_AUTHORIZATION_FAILED\)$/,
      /grant the user of KAFKA_SASL_USERNAME/,
    ],
  ])(
    '%s: the order is accepted, and a warning names the setting',
    async (_what, changes, reason, advice) => {
      const order = await secured.start('order', changes());
      await findWarning(order, advice);
      const { status, parts } = await order.ready();
      expect({ status, kafka: parts['kafka'] }).toEqual({
        status: 200,
        kafka: { state: 'degraded', reason: expect.stringMatching(reason) },
      });
      const graph = graphAt(`${order.url}/graphql`);
      await dataOf(graph(createOrder, { input: { productId: 'kopi', quantity: 1 } }));
      await order.stop();
      const { code, stderr } = await secured.deadLetters(changes());
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(advice) });
    },
  );
});

describe.each<Side>(['order', 'stock'])('PostgreSQL connection of %s with', (side) => {
  const urlOf = (parameters?: string, password?: string) => (): string =>
    secured.servers.databaseUrl(`${side}_db`, parameters, password);
  const all: [string, () => string, RegExp, string][] = [
    ['a wrong password', urlOf(undefined, WRONG), /refuses the user or the password/, ''],
    [
      'a certificate of an untrusted authority',
      () => urlOf(`sslmode=verify-full&sslrootcert=${secured.servers.otherCa}`)(),
      /shows a certificate that is not trusted \(.+\)/,
      'sslrootcert=<file>',
    ],
    [
      'a certificate of another host',
      () => urlOf()().replace('127.0.0.1', 'localhost'),
      /shows a certificate that is not trusted \(Hostname.+\)/,
      'sslrootcert=<file>',
    ],
    ['no TLS', urlOf(''), /requires TLS/, 'sslmode=verify-full'],
  ];
  // Both sides run the same code. The other cases of the stock side would only test it again.
  it.each(side === 'order' ? all : all.slice(0, 1))(
    '%s: the process is not ready, and a warning names the setting',
    async (_what, url, reason, advice) => {
      const part = await secured.start(side, { [SETTING[side]]: url() });
      // On a loaded machine, the first warning may report a time-out instead.
      const line = await findWarning(part, reason);
      expect(line).toContain(SETTING[side]);
      expect(line).toContain(advice);
      const { status, parts } = await eventually(part.readiness, (now) =>
        reason.test(now.parts['database']?.reason ?? ''),
      );
      expect({ status, state: parts['database']?.state }).toEqual({ status: 503, state: 'down' });
      const { errors } = await graphAt(`${part.url}/graphql`)(
        side === 'order' ? '{ orders { nodes { id } } }' : '{ stocks { nodes { id } } }',
      );
      expect(errors?.[0]?.message).not.toMatch(/certificate|password|sslmode/);
      await part.stop();
      const started = performance.now();
      const { code, stderr } = await secured.migrate({ [SETTING[side]]: url() });
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(SETTING[side]) });
      expect(stderr).toContain(advice);
      // The server rejects the connection, so the migration fails without waiting for the server to become
      // available.
      expect(performance.now() - started).toBeLessThan(20_000);
    },
  );
});

it('the order service reports a password that becomes invalid while it runs, and recovers when it is valid again', async () => {
  const order = await secured.start('order');
  await order.ready();
  const change = (password: string) =>
    query(
      `ALTER ROLE ${USER.name} PASSWORD '${password}';
       SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${USER.name}'`,
    );
  await change(WRONG);
  await eventually(order.readiness, ({ parts }) =>
    /refuses the user or the password/.test(parts['database']?.reason ?? ''),
  );
  await findWarning(order, /correct them in ORDER_DATABASE_URL/);
  await change(USER.password);
  await order.ready();
  expect(order.running()).toBe(true);
  await order.stop();
});

it('the order service and the migration report an unreadable certificate file before they connect', async () => {
  const url = secured.servers.databaseUrl('order_db', 'sslmode=verify-full&sslrootcert=/no.pem');
  await expect(secured.start('order', { ORDER_DATABASE_URL: url })).rejects.toThrow(
    /ORDER_DATABASE_URL: .*its sslrootcert must name a readable file/,
  );
  const { code, stderr } = await secured.migrate({ ORDER_DATABASE_URL: url });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/ORDER_DATABASE_URL: sslrootcert must name a readable file/),
  });
});

it('no process logs a password, even at debug level', () => {
  const written = secured.written();
  expect(written).toContain('"level":"debug"');
  for (const password of [USER.password, GUEST.password, WRONG]) {
    expect(written).not.toContain(password);
  }
});
