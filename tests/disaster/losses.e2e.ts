import { startTestServers, type TestServers } from '@gudang/embedded/testing';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import {
  startVerifyingSubscriber,
  type VerifyingSubscriber,
} from '@gudang/testing/clients/verifying-subscriber';
import { eventually } from '@gudang/testing/eventually';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { copyDatabase, type DatabaseBackup, dumpDatabase } from './database-backup.ts';
import { type DisposableKafka, startDisposableKafka } from './disposable-kafka.ts';
import { findPostgresPrograms } from './postgres-programs.ts';
import { expectReconciled, type StoredStocks } from './reconciliation.ts';
import { readRunbook } from './runbook.ts';

const RECEIVED_WITHIN_MS = 40_000;
const TEST_TIMEOUT_MS = 120_000;
/**
 * Safety margin in milliseconds. Orders are republished from this long before the backup, so some of the
 * records are repeats.
 */
const MARGIN_MS = 60_000;
const IDS = ['kopi', 'teh'];
const INITIAL = new Map([
  ['kopi', 1_000],
  ['teh', 3],
]);

const programs = await findPostgresPrograms();
const backup = programs
  ? `by ${programs.version}`
  : 'by a copy: no PostgreSQL with pg_dump is installed and POSTGRES_PROGRAMS is not set';

let servers: TestServers | undefined;
let kafka: DisposableKafka;
let system: System;
/** A subscriber that stays subscribed during all tests. */
let lasting: VerifyingSubscriber;
let firstCursor: string;

beforeAll(async () => {
  kafka = await startDisposableKafka();
  // pg_dump rejects a server that is newer than pg_dump, so both come from the same installation.
  if (programs) servers = await startTestServers({ postgresPrograms: programs.directory });
  system = await startSystem({
    postgresUrl: servers?.postgresUrl ?? inject('postgresUrl'),
    kafkaBrokers: kafka.brokers,
    environment: { order: { RECONCILE_AFTER: '2' } },
  });
  const shop = createShopClient(system.graph);
  firstCursor = await shop.stockCursor();
  for (const [id, quantity] of INITIAL) await shop.addStock({ id, quantity });
  lasting = await watchFrom(firstCursor);
});
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  process.stderr.write(`\nOutput of the processes during "${task.name}":\n${system.logs()}\n`);
});
afterAll(async () => {
  await lasting?.close();
  await system?.stop();
  await servers?.stop();
  await kafka?.stop();
});

const watchFrom = (after: string): Promise<VerifyingSubscriber> =>
  startVerifyingSubscriber({ url: system.gateway.url, ids: IDS, after });

const order = async (count: number): Promise<string[]> => {
  const { createOrder } = createShopClient(system.graph);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const productId = IDS[index % IDS.length] ?? '';
    ids.push((await createOrder({ productId, quantity: 1 })).id);
  }
  return ids;
};
/** Requests the cancellation of orders. */
const cancel = async (ids: readonly string[]): Promise<void> => {
  for (const id of ids) await createShopClient(system.graph).cancelOrder({ id });
};
const cancelled = async (ids: readonly string[]): Promise<void> => {
  for (const id of ids) await createShopClient(system.graph).cancelDecided(id);
};
const decided = async (ids: readonly string[]): Promise<void> => {
  for (const id of ids) await createShopClient(system.graph).decided(id);
};
/** Waits until the outbox is empty, so that only Kafka has the events of pending orders. */
const sent = (): Promise<unknown> =>
  eventually(
    () => system.databases.order('SELECT FROM outbox'),
    (rows) => rows.length === 0,
    { until: 'the outbox is empty' },
  );

function backUp(database: 'order' | 'stock', lost: boolean): Promise<DatabaseBackup> {
  const backedUp = { database, url: system.databaseUrls[database], part: system[database] };
  if (!programs) return copyDatabase(backedUp);
  return dumpDatabase(backedUp, { programs: programs.directory, lost });
}

const decisions = (): Promise<unknown> =>
  system.databases.stock('SELECT * FROM decisions ORDER BY order_id');

/** Asserts that `lasting` and a new stream from each cursor reach the state in the database. */
async function expectSeen(stored: StoredStocks, cursors: readonly string[]): Promise<void> {
  const returning = await Promise.all(cursors.map(watchFrom));
  await eventually(
    () => [lasting, ...returning].map((witness) => witness.faults(stored)),
    (faults) => faults.flat().length === 0,
    { until: "each subscriber has the database's state", within: RECEIVED_WITHIN_MS },
  );
  await Promise.all(returning.map((witness) => witness.close()));
}

test(
  'after Kafka has lost all data, pending orders are decided once and streams reach the current state',
  async () => {
    const old = await order(4);
    await decided(old);
    const before = await createShopClient(system.graph).stockCursor();
    // The frozen stock service does not consume the events of these orders, so only Kafka has the events
    // when Kafka loses its data.
    system.stock.kill('SIGSTOP');
    const [pending = ''] = await order(4);
    await cancel([...old.slice(0, 2), pending]);
    await sent();
    await kafka.kill();
    system.stock.kill('SIGCONT');
    await order(4);
    await kafka.startEmpty();

    const stored = await expectReconciled(system.databases, INITIAL);
    await cancelled([...old.slice(0, 2), pending]);
    await expectSeen(stored, [firstCursor, before]);
    await decided(await order(2));
    await expectSeen(await expectReconciled(system.databases, INITIAL), [firstCursor, before]);
  },
  TEST_TIMEOUT_MS,
);

test(
  `after order_db is restored (${backup}), pending orders are decided and take stock once`,
  async () => {
    const earlier = await order(2);
    await decided(earlier);
    const [old = ''] = earlier;
    system.stock.kill('SIGSTOP');
    const pending = await order(2);
    await sent();
    const backedUpAt = new Date();
    const backup = await backUp('order', false);
    system.stock.kill('SIGCONT');
    await decided(pending);
    await cancel([old, ...pending.slice(0, 1)]);
    await cancelled([old, ...pending.slice(0, 1)]);

    await system.order.stop();
    await backup.restore();
    await runStatement('stock', backedUpAt);
    const again = "SELECT id FROM orders WHERE status = 'PENDING' ORDER BY created_at";
    expect((await system.databases.order(again)).map(({ id }) => id)).toEqual(pending);
    await system.order.restart();
    await system.order.ready();
    await decided(pending);
    await expectSeen(await expectReconciled(system.databases, INITIAL), [firstCursor]);
    await backup.drop();
  },
  TEST_TIMEOUT_MS,
);

test(
  `after stock_db is lost and restored (${backup}), republished orders keep their decisions`,
  async () => {
    await decided(await order(2));
    const earlier = await order(2);
    await decided(earlier);
    const [old = ''] = earlier;
    const backedUpAt = new Date();
    const known = await decisions();
    const backup = await backUp('stock', true);
    const [young = '', ...others] = await order(4);
    await decided([young, ...others]);
    await cancel([old, young]);
    await cancelled([old, young]);
    const before = await createShopClient(system.graph).stockCursor();

    await system.stock.stop();
    await backup.restore();
    expect(await decisions()).toEqual(known);
    await runStatement('order', backedUpAt);
    await system.stock.restart();
    await system.stock.ready();
    const stored = await expectReconciled(system.databases, INITIAL);
    await expectSeen(stored, [firstCursor, before]);
    await decided(await order(2));
    await expectSeen(await expectReconciled(system.databases, INITIAL), [firstCursor, before]);
    await backup.drop();
  },
  TEST_TIMEOUT_MS,
);

/** Runs the runbook's statement for a database, which publishes its events since a backup again. */
async function runStatement(database: 'order' | 'stock', backedUpAt: Date): Promise<void> {
  const statements = [...(await readRunbook()).matchAll(/```sql\n(.*?)```/gs)];
  const table = { order: 'FROM orders', stock: 'FROM decisions' }[database];
  const [statement = '', ...others] = statements
    .map(([, text = '']) => text)
    .filter((text) => text.includes(table));
  expect([others, statement]).toEqual([[], expect.stringContaining("'2026-11-23T01:00:00Z'")]);
  const since = new Date(backedUpAt.getTime() - MARGIN_MS).toISOString();
  await system.databases[database](statement.replace('2026-11-23T01:00:00Z', since));
}
