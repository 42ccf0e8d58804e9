import { createTestDatabase, type TestDatabase, testTopicPrefix } from '@gudang/embedded/testing';
import { decodeOrderChanged, decodeOrderCreated, decodeStockChanged } from '@gudang/events';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MoveInCommand } from './cli.ts';
import { moveIn } from './move-in.ts';
import { createLegacySystem, type LegacySystem, RECORD_TIME } from './testing/legacy-system.ts';

const service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
let kafka: KafkaConnection;
/** One topic for each test. */
const TOPICS = 11;
let used = 0;
let legacy: LegacySystem;
let databases: { order: TestDatabase; stock: TestDatabase };
let [order, stock] = [new pg.Client(), new pg.Client()];
let printed: string;
beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const [orders, stocks] = await Promise.all([
    createTestDatabase(postgresUrl, 'order'),
    createTestDatabase(postgresUrl, 'stock'),
  ]);
  databases = { order: orders, stock: stocks };
  order = new pg.Client({ connectionString: orders.url });
  stock = new pg.Client({ connectionString: stocks.url });
  const names = Array.from({ length: TOPICS }, (_, index) => `order_created_${index}`);
  kafka = await connectTestKafka(
    service,
    names.map((topic) => ({ topic, partitions: 2 })),
  );
  legacy = await createLegacySystem({ postgresUrl, client: kafka.client });
  await Promise.all([order.connect(), stock.connect()]);
});
afterAll(async () => {
  await Promise.all([order.end(), stock.end(), legacy.close()]);
  await Promise.all([databases.order.drop(), databases.stock.drop()]);
  await kafka.stop();
});
beforeEach(async () => {
  await Promise.all([
    legacy.reset(kafka.name(`order_created_${used++}`)),
    order.query('TRUNCATE orders, outbox CASCADE'),
    stock.query('TRUNCATE stocks, movements, decisions, outbox CASCADE'),
  ]);
  printed = '';
});

function run(
  options: Partial<MoveInCommand> = {},
  onPrint: (text: string) => Promise<void> = async () => {},
): Promise<void> {
  const { orderDb, stockDb, group, topic } = legacy;
  const given = { orderDb, stockDb, group, topic, kafka: '', unsent: undefined, report: undefined };
  return moveIn(
    { ...given, dryRun: false, ...options },
    {
      client: kafka.client,
      newGroup: kafka.name('stock-subgraph'),
      env: { ORDER_DATABASE_URL: databases.order.url, STOCK_DATABASE_URL: databases.stock.url },
      print: async (text) => {
        printed += `${text}\n`;
        await onPrint(text);
      },
    },
  );
}

const rows = async (client: pg.Client, query: string): Promise<unknown[]> =>
  (await client.query(query)).rows;
/** All that a move writes. */
const contents = async () => ({
  stocks: await rows(stock, 'SELECT id, name, quantity, version FROM stocks ORDER BY id'),
  entries: await rows(
    stock,
    `SELECT stock_id, version, kind, delta, quantity_after, reason FROM movements
     ORDER BY stock_id, version`,
  ),
  decisions: await rows(
    stock,
    `SELECT order_id, product_id, quantity, status, decided_at, stock_version FROM decisions
     ORDER BY order_id`,
  ),
  orders: await rows(
    order,
    `SELECT id, owner, product_id, quantity, status, version, decided_at FROM orders ORDER BY id`,
  ),
  events: [
    await rows(stock, 'SELECT topic, version, count(*) FROM outbox GROUP BY 1, 2 ORDER BY 1, 2'),
    await rows(order, 'SELECT topic, version, count(*) FROM outbox GROUP BY 1, 2 ORDER BY 1, 2'),
  ],
});

/** Two stocks, and an order of each kind: consumed, not consumed, not sent, and one without a row. */
async function fillLegacySystem() {
  await legacy.addStock('kopi', 7);
  await legacy.addStock('teh', -2);
  const consumed = await legacy.addOrder('kopi', 3);
  const waiting = await legacy.addOrder('kopi', 1);
  const unsent = await legacy.addOrder('teh', 2);
  const rowless = '00000000-0000-4000-8000-000000000001';
  await legacy.send(
    { id: consumed, productId: 'kopi', quantity: 3 },
    { id: rowless, productId: 'teh', quantity: 9 },
    { id: waiting, productId: 'kopi', quantity: 1 },
  );
  await legacy.commit(2);
  return { consumed, waiting, unsent, rowless };
}

describe('moveIn', () => {
  it('moves stocks, decisions and orders, with the events of the changes', async () => {
    const { consumed, waiting, unsent, rowless } = await fillLegacySystem();
    await run({ unsent: 'pending' });
    const { stocks, entries, decisions, orders } = await contents();
    expect(stocks).toEqual([
      { id: 'kopi', name: 'Produk kopi', quantity: 7, version: 1 },
      { id: 'teh', name: 'Produk teh', quantity: 0, version: 1 },
    ]);
    expect(entries).toMatchObject([
      { stock_id: 'kopi', kind: 'CREATED', delta: 7, quantity_after: 7, reason: 'moved in' },
      { stock_id: 'teh', delta: 0, quantity_after: 0, reason: 'moved in; the quantity was -2' },
    ]);
    const at = new Date(RECORD_TIME);
    expect(decisions).toEqual(
      [
        { order_id: consumed, product_id: 'kopi', quantity: 3 },
        { order_id: rowless, product_id: 'teh', quantity: 9 },
      ]
        .map((one) => ({ ...one, status: 'CONFIRMED', decided_at: at, stock_version: 1 }))
        .toSorted((one, other) => (one.order_id < other.order_id ? -1 : 1)),
    );
    const byId = new Map(orders.map((one) => [(one as { id: string }).id, one]));
    expect(byId.get(consumed)).toMatchObject({
      owner: '',
      status: 'CONFIRMED',
      version: 2,
      decided_at: at,
    });
    expect(byId.get(waiting)).toMatchObject({ status: 'PENDING', version: 1, decided_at: null });
    expect(byId.get(unsent)).toMatchObject({ status: 'PENDING', product_id: 'teh', quantity: 2 });
    expect(printed).toContain('2 stocks, 3 orders, and 3 records');
    expect(printed).toMatch(/orders +3 \(2 PENDING\), 0 there already/);
    expect(printed).toContain(`order ${unsent}: the topic has no record of it`);
  });

  it('publishes the changes, and sends only the orders that were never sent', async () => {
    const { unsent } = await fillLegacySystem();
    await run({ unsent: 'pending' });
    const values = async (client: pg.Client, topic: string) =>
      (
        await client.query('SELECT value FROM outbox WHERE topic = $1 ORDER BY id', [topic])
      ).rows.map(({ value }) => value as Buffer);
    const changed = (await values(stock, 'stock_changed')).map(decodeStockChanged);
    expect(changed).toMatchObject([
      { kind: 'CREATED', delta: 7, stock: { id: 'kopi', quantity: 7, version: 1 } },
      { kind: 'CREATED', delta: 0, stock: { id: 'teh', quantity: 0, version: 1 } },
    ]);
    const orders = (await values(order, 'order_changed')).map(decodeOrderChanged);
    expect(
      orders.map((one) => [one.order.status, one.previousStatus, one.order.version]).toSorted(),
    ).toEqual([
      ['CONFIRMED', 'PENDING', 2],
      ['PENDING', null, 1],
      ['PENDING', null, 1],
    ]);
    const sent = (await values(order, 'order_created')).map(decodeOrderCreated);
    expect(sent).toEqual([{ ok: true, message: { id: unsent, productId: 'teh', quantity: 2 } }]);
  });

  it('changes nothing in a dry run, or while orders without a record need a choice', async () => {
    await fillLegacySystem();
    const before = await contents();
    await run({ dryRun: true });
    expect(printed).toContain('This was a dry run: nothing is changed.');
    await expect(run()).rejects.toThrow('1 orders have no record in the topic. Choose --unsent');
    expect(await contents()).toEqual(before);
  });

  it('reaches the same state if a move is interrupted after any step', async () => {
    await fillLegacySystem();
    await run({ unsent: 'confirmed' });
    const complete = await contents();
    // A move writes decisions, then stocks, then orders. Undo the steps from the last one.
    const undo = [
      () => order.query('TRUNCATE orders, outbox CASCADE'),
      () => stock.query('TRUNCATE stocks, movements, outbox CASCADE'),
      () => stock.query('TRUNCATE decisions'),
    ];
    for (const steps of [0, 1, 2]) {
      for (const step of undo.slice(0, steps)) await step();
      await run({ unsent: 'confirmed' });
      expect(await contents(), `${steps} steps were missing`).toEqual(complete);
    }
  });

  it('is completed by the next move if the databases close its connections', async () => {
    await fillLegacySystem();
    const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'gudang move-in' AND datname = current_database()`;
    for (const client of [stock, order]) {
      const interrupted = run({ unsent: 'pending' }, async (text) => {
        if (text.startsWith('To write:')) await client.query(terminate);
      });
      await expect(interrupted).rejects.toThrow(
        /The move was interrupted \(.+\). Run it again: it writes what is missing/,
      );
    }
    await run({ unsent: 'pending' });
    const { stocks, entries, decisions, orders } = await contents();
    expect([stocks, entries, decisions, orders].map((one) => one.length)).toEqual([2, 2, 2, 3]);
  });

  it('moves again what the legacy system has changed since', async () => {
    const { waiting } = await fillLegacySystem();
    await run({ unsent: 'confirmed' });
    await legacy.commit(3);
    await legacy.setQuantity('kopi', 6);
    await run({ unsent: 'confirmed' });
    const { stocks, entries, decisions } = await contents();
    expect(stocks).toMatchObject([{ id: 'kopi', quantity: 6, version: 2 }, { id: 'teh' }]);
    expect(entries[1]).toMatchObject({ kind: 'UPDATED', delta: -1, quantity_after: 6, version: 2 });
    expect(decisions).toContainEqual(expect.objectContaining({ order_id: waiting }));
    await run({ unsent: 'confirmed' });
    expect((await contents()).entries).toHaveLength(3);
  });

  it('stops before it writes if the new stock service has decided the orders', async () => {
    const { consumed } = await fillLegacySystem();
    await stock.query(
      `INSERT INTO decisions (order_id, product_id, quantity, status, reason)
       VALUES ($1, 'kopi', 3, 'REJECTED', 'UNKNOWN_PRODUCT')`,
      [consumed],
    );
    await expect(run({ unsent: 'pending' })).rejects.toThrow(
      new RegExp(`contradicts the new databases \\(1\\):\n  order ${consumed} was REJECTED here`),
    );
    expect((await contents()).stocks).toEqual([]);
  });

  it('writes all problems to the report', async () => {
    await legacy.addStock('kopi', 5);
    await legacy.addOrder('kopi', 0);
    await legacy.addOrder('kopi', 1, '17');
    const lost = await legacy.addOrder('gone', 1);
    await legacy.sendValue('no JSON');
    await legacy.send({ id: lost, productId: 'gone', quantity: 1 });
    await legacy.commit(2);
    await run();
    expect(printed).toContain('bad quantity (1):');
    expect(printed).toContain('order 17: its id is not a UUID; it is not moved');
    expect(printed).toContain('record 0/0: the value is not JSON');
    expect(printed).toContain(`order ${lost}: no stock has the id "gone"; the order is moved`);
    expect(await contents()).toMatchObject({
      decisions: [{ order_id: lost, stock_version: null }],
      orders: [{ id: lost, status: 'CONFIRMED' }],
    });
  });

  it('rejects a group without offsets, a missing topic and missing tables', async () => {
    const id = await legacy.addOrder('kopi', 1);
    await legacy.send({ id, productId: 'kopi', quantity: 1 });
    await expect(run()).rejects.toThrow(
      `has committed no offset of ${legacy.topic}. Check --group`,
    );
    await legacy.commit(1);
    await expect(run({ topic: 'missing' })).rejects.toThrow('Kafka has no topic missing');
    await expect(run({ stockDb: legacy.orderDb })).rejects.toThrow(/stocks of .* does not exist/);
    await expect(run({ orderDb: databases.order.url })).rejects.toThrow('belongs to Gudang');
    const unmigrated = moveIn(
      { ...legacy, kafka: '', unsent: undefined, report: undefined, dryRun: true },
      {
        client: kafka.client,
        newGroup: 'none',
        env: { ORDER_DATABASE_URL: legacy.orderDb, STOCK_DATABASE_URL: databases.stock.url },
        print: () => {},
      },
    );
    await expect(unmigrated).rejects.toThrow('run npm run migrate first');
  });

  it.each([
    ['the legacy stock service', () => legacy.group],
    ['the new stock service', () => kafka.name('stock-subgraph')],
  ])('allows only a dry run beside %s', async (name, groupOf) => {
    await fillLegacySystem();
    const consumer = kafka.client.consumer({ groupId: groupOf(), maxWaitTimeInMs: 50 });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [legacy.topic] });
      const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
      await consumer.run({ eachMessage: async () => {}, autoCommit: false });
      await joined;
      await expect(run({ unsent: 'pending' })).rejects.toThrow(`stop ${name} and try again`);
      await run({ unsent: 'pending', dryRun: true });
    } finally {
      await consumer.disconnect();
    }
  });
});
