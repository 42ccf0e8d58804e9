import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import {
  decodeOrderDecided,
  decodeStockChanged,
  ORDER_CREATED,
  type OrderCreated,
} from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters, type InboxMessage } from '@gudang/outbox';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from '../stocks/add-stock.ts';
import { decideOrders } from './decide-orders.ts';

const deadLetters = new DeadLetters(ORDER_CREATED);

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  database = openDatabase({ url: testDatabase.url, pool: 10 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.$executeRaw`TRUNCATE stocks, movements, decisions, outbox`;
});

const record: KafkaRecord = {
  topic: 'order_created',
  partition: 0,
  offset: '1',
  timestamp: '0',
  key: null,
  value: null,
  headers: {},
};
const orderOf = (productId: string, quantity: number): OrderCreated => ({
  id: randomUUID(),
  productId,
  quantity,
});
const batch = (...orders: OrderCreated[]): InboxMessage<OrderCreated>[] =>
  orders.map((message) => ({ message, record }));
const stockOf = (id: string) => database.stock.findUniqueOrThrow({ where: { id } });
const events = (topic: string): Promise<{ value: Uint8Array; version: number | null }[]> =>
  database.$queryRaw`SELECT value, version FROM outbox WHERE topic = ${topic} ORDER BY id`;

describe('decideOrders', () => {
  it('writes the stock, ledger entry, decision and both events in one transaction', async () => {
    await addStock({ database }, { id: 'kopi', name: 'Kopi', quantity: 10 });
    const order = orderOf('kopi', 4);
    expect(await decideOrders(database, batch(order), deadLetters)).toMatchObject({ confirmed: 1 });
    const stock = await stockOf('kopi');
    expect(stock).toMatchObject({ quantity: 6, version: 2 });
    const ledger = await database.movement.findMany({ orderBy: { version: 'asc' } });
    expect(
      ledger.map(({ delta, quantityAfter, orderId }) => [delta, quantityAfter, orderId]),
    ).toEqual([
      [10, 10, null],
      [-4, 6, order.id],
    ]);
    const [decided] = await events('order_decided');
    expect(decodeOrderDecided(decided?.value ?? null)).toMatchObject({
      ok: true,
      message: { orderId: order.id, status: 'CONFIRMED', quantityAfter: 6 },
    });
    const changed = (await events('stock_changed')).at(-1);
    expect(changed?.version).toBe(2);
    expect(decodeStockChanged(changed?.value ?? new Uint8Array())).toMatchObject({
      kind: 'ORDERED',
      delta: -4,
      orderId: order.id,
      stock: { quantity: 6, version: 2, updatedAt: stock.updatedAt },
    });
  });

  it('announces the decision again for a duplicate order and does not change the stock', async () => {
    await addStock({ database }, { id: 'kopi', name: 'Kopi', quantity: 10 });
    const order = orderOf('kopi', 4);
    await decideOrders(database, batch(order), deadLetters);
    expect(await decideOrders(database, batch(order), deadLetters)).toMatchObject({ repeat: 1 });
    expect((await stockOf('kopi')).quantity).toBe(6);
    const announced = await events('order_decided');
    expect(announced).toHaveLength(2);
    expect(announced[1]?.value).toEqual(announced[0]?.value);
  });

  it('subtracts the quantity once when consumers decide the same orders concurrently', async () => {
    await addStock({ database }, { id: 'a', name: 'A', quantity: 1000 });
    await addStock({ database }, { id: 'b', name: 'B', quantity: 1000 });
    const orders = Array.from({ length: 100 }, (_, index) => orderOf(index % 2 ? 'a' : 'b', 1));
    await Promise.all([
      decideOrders(database, batch(...orders), deadLetters),
      decideOrders(database, batch(...orders.toReversed()), deadLetters),
      decideOrders(database, batch(...orders.slice(50)), deadLetters),
    ]);
    expect((await stockOf('a')).quantity + (await stockOf('b')).quantity).toBe(1900);
    expect(await database.$queryRaw`SELECT count(*)::int AS count FROM decisions`).toEqual([
      { count: 100 },
    ]);
  });

  it('decides orders for an unknown product once when two consumers decide them concurrently and one retries', async () => {
    const orders = Array.from({ length: 20 }, () => orderOf('none', 1));
    const results = await Promise.allSettled([
      decideOrders(database, batch(...orders), deadLetters),
      decideOrders(database, batch(...orders), deadLetters),
    ]);
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    const again = await decideOrders(database, batch(...orders), deadLetters);
    expect(again).toMatchObject({ confirmed: 0, rejected: 0, repeat: 20 });
  });

  it('never confirms more than the available quantity when consumers decide orders for the last units concurrently', async () => {
    await addStock({ database }, { id: 'kopi', name: 'Kopi', quantity: 10 });
    const batches = await Promise.all(
      Array.from({ length: 10 }, () =>
        decideOrders(
          database,
          batch(...Array.from({ length: 10 }, () => orderOf('kopi', 1))),
          deadLetters,
        ),
      ),
    );
    expect(batches.reduce((sum, counts) => sum + counts.confirmed, 0)).toBe(10);
    expect((await stockOf('kopi')).quantity).toBe(0);
  });
});
