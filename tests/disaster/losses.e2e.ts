import { startTestServers, type TestServers } from '@gudang/embedded/testing';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import {
  startVerifyingSubscriber,
  type VerifyingSubscriber,
} from '@gudang/testing/clients/verifying-subscriber';
import { eventually } from '@gudang/testing/eventually';
import { type System, startSystem } from '@gudang/testing/system/system';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import { expectSettledBooks, type StoredStocks } from './books.ts';
import { copyDatabase, type DatabaseBackup, dumpDatabase } from './database-backup.ts';
import { type KafkaToLose, startKafkaToLose } from './kafka-to-lose.ts';
import { readRestorePage } from './page-commands.ts';
import { findPostgresPrograms } from './postgres-programs.ts';

const SEEN_WITHIN_MS = 40_000;
const A_LOSS_WITHIN_MS = 120_000;
/** So much before the backup begins what stock is told again: some of it is a repeat. */
const MARGIN_MS = 60_000;
const IDS = ['kopi', 'teh'];
const INITIAL = new Map([
  ['kopi', 1_000],
  ['teh', 3],
]);

const programs = await findPostgresPrograms();
const backup = programs
  ? `by ${programs.version}`
  : 'by a copy: no pg_dump of a whole PostgreSQL is installed, nor is POSTGRES_PROGRAMS set';

let servers: TestServers | undefined;
let kafka: KafkaToLose;
let system: System;
/** From before anything was lost, to the end. */
let lasting: VerifyingSubscriber;
let firstCursor: string;

beforeAll(async () => {
  kafka = await startKafkaToLose();
  // pg_dump refuses a newer server than its own.
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
  process.stderr.write(`\nThe parts during "${task.name}":\n${system.logs()}\n`);
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
const decided = async (ids: readonly string[]): Promise<void> => {
  for (const id of ids) await createShopClient(system.graph).decided(id);
};
/** Nothing is on its way but in Kafka. */
const sent = (): Promise<unknown> =>
  eventually(
    () => system.databases.order('SELECT FROM outbox'),
    (rows) => rows.length === 0,
    { until: 'the outbox is sent' },
  );

function backUp(database: 'order' | 'stock', lost: boolean): Promise<DatabaseBackup> {
  const backedUp = { database, url: system.databaseUrls[database], part: system[database] };
  if (!programs) return copyDatabase(backedUp);
  return dumpDatabase(backedUp, { programs: programs.directory, lost });
}

const decisions = (): Promise<unknown> =>
  system.databases.stock('SELECT * FROM decisions ORDER BY order_id');

/** Old cursors and the stream that was there all the time end in the database's state. */
async function expectSeen(stored: StoredStocks, cursors: readonly string[]): Promise<void> {
  const returning = await Promise.all(cursors.map(watchFrom));
  await eventually(
    () => [lasting, ...returning].map((witness) => witness.faults(stored)),
    (faults) => faults.flat().length === 0,
    { until: "each live client ends in the database's state", within: SEEN_WITHIN_MS },
  );
  await Promise.all(returning.map((witness) => witness.close()));
}

test(
  'Kafka loses everything with orders pending: all settle, nothing twice, live clients end right',
  async () => {
    await decided(await order(4));
    const before = await createShopClient(system.graph).stockCursor();
    // Held, so that these orders are in Kafka alone when it is lost.
    system.stock.kill('SIGSTOP');
    await order(4);
    await sent();
    await kafka.kill();
    system.stock.kill('SIGCONT');
    await order(4);
    await kafka.startEmpty();

    const stored = await expectSettledBooks(system.databases, INITIAL);
    await expectSeen(stored, [firstCursor, before]);
    await decided(await order(2));
    await expectSeen(await expectSettledBooks(system.databases, INITIAL), [firstCursor, before]);
  },
  A_LOSS_WITHIN_MS,
);

test(
  `order_db is restored, ${backup}: what was pending settles, and is not taken twice`,
  async () => {
    await decided(await order(2));
    system.stock.kill('SIGSTOP');
    const pending = await order(2);
    await sent();
    const backup = await backUp('order', false);
    system.stock.kill('SIGCONT');
    await decided(pending);

    await system.order.stop();
    await backup.restore();
    const again = "SELECT id FROM orders WHERE status = 'PENDING' ORDER BY created_at";
    expect((await system.databases.order(again)).map(({ id }) => id)).toEqual(pending);
    await system.order.restart();
    await system.order.ready();
    await decided(pending);
    await expectSeen(await expectSettledBooks(system.databases, INITIAL), [firstCursor]);
    await backup.drop();
  },
  A_LOSS_WITHIN_MS,
);

test(
  `stock_db is lost and restored, ${backup}: told again, its orders are decided as they were`,
  async () => {
    await decided(await order(2));
    const backedUpAt = new Date();
    const known = await decisions();
    const backup = await backUp('stock', true);
    await decided(await order(4));
    const before = await createShopClient(system.graph).stockCursor();

    await system.stock.stop();
    await backup.restore();
    expect(await decisions()).toEqual(known);
    await tellStockAgain(new Date(backedUpAt.getTime() - MARGIN_MS));
    await system.stock.restart();
    await system.stock.ready();
    const stored = await expectSettledBooks(system.databases, INITIAL);
    await expectSeen(stored, [firstCursor, before]);
    await decided(await order(2));
    await expectSeen(await expectSettledBooks(system.databases, INITIAL), [firstCursor, before]);
    await backup.drop();
  },
  A_LOSS_WITHIN_MS,
);

/** The statement of the operators' page, for all orders since a time. */
async function tellStockAgain(since: Date): Promise<void> {
  const page = await readRestorePage();
  const [, statement = ''] = /```sql\n(.*?)```/s.exec(page) ?? [];
  expect(statement).toContain("'2026-11-23T01:00:00Z'");
  await system.databases.order(statement.replace('2026-11-23T01:00:00Z', since.toISOString()));
}
