import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { decodeOrderChanged, decodeOrderCreated, encodeOrderCreated } from '@gudang/events';
import { isInvalidData } from '@gudang/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { createOrderHandler } from './create-order.ts';
import { insertOrders } from './insert-orders.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'order');
  database = openDatabase({ url: testDatabase.url, pool: 5 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.$executeRaw`TRUNCATE orders, outbox, reconciliations`;
});

const newOrder = { owner: '', productId: 'kopi "☕"', quantity: 3, idempotencyKey: null };
const outbox = (): Promise<
  { topic: string; key: Uint8Array; value: Uint8Array; version: number }[]
> => database.$queryRaw`SELECT topic, key, value, version FROM outbox ORDER BY id`;

describe('insertOrders', () => {
  it.each(['', 'Siti'])(
    'stores the order PENDING and both events in one transaction, in the shape of the contract (owner "%s")',
    async (owner) => {
      const [order] = await insertOrders(database, [{ ...newOrder, owner }]);
      expect(order).toMatchObject({ owner, productId: newOrder.productId, status: 'PENDING' });
      if (!order) return;
      const [created, changed] = (await outbox()).toSorted((a, b) => (a.topic < b.topic ? 1 : -1));
      expect(created?.topic).toBe('order_created');
      expect(Buffer.from(created?.key ?? []).toString()).toBe(newOrder.productId);
      const text = Buffer.from(created?.value ?? []).toString();
      expect(JSON.parse(text)).toEqual(JSON.parse(encodeOrderCreated(order)));
      expect(Object.keys(JSON.parse(text))).toEqual(['id', 'product_id', 'quantity', 'timestamp']);
      expect(decodeOrderCreated(Buffer.from(text)).ok).toBe(true);
      expect(changed?.version).toBe(1);
      expect(decodeOrderChanged(changed?.value ?? new Uint8Array())).toEqual(order);
    },
  );

  it('answers the order that a known idempotency key made, in one batch and over two', async () => {
    const keyed = { ...newOrder, idempotencyKey: 'k' };
    const [first, same, other] = await insertOrders(database, [keyed, keyed, newOrder]);
    const [again] = await insertOrders(database, [keyed]);
    expect(same?.id).toBe(first?.id);
    expect(again?.id).toBe(first?.id);
    expect(other?.id).not.toBe(first?.id);
    expect(await database.order.count()).toBe(2);
    expect(await outbox()).toHaveLength(4);
  });

  it('hands on what caused an order to both its events, and nothing to those of others', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [caused] = await insertOrders(database, [{ ...newOrder, traceparent }, newOrder]);
    const rows = await database.$queryRaw<{ ours: boolean; traceparent: string | null }[]>`
      SELECT position(${caused?.id} IN convert_from(value, 'UTF8')) > 0 AS ours, traceparent
      FROM outbox`;
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row.traceparent).toBe(row.ours ? traceparent : null);
    expect(rows.filter(({ ours }) => ours)).toHaveLength(2);
  });

  it('keeps the keys of two owners apart', async () => {
    const keyed = { ...newOrder, idempotencyKey: 'k' };
    const [one, two] = await insertOrders(database, [keyed, { ...keyed, owner: 'someone' }]);
    expect(one?.id).not.toBe(two?.id);
  });

  it('is refused by the database itself when the quantity is outside its limits', async () => {
    const refused = await insertOrders(database, [{ ...newOrder, quantity: 0 }]).catch((e) => e);
    expect(isInvalidData(refused)).toBe(true);
    expect(await outbox()).toEqual([]);
  });
});

describe('createOrder', () => {
  it('makes one order of 50 parallel requests with one key', async () => {
    let stored = 0;
    const createOrder = createOrderHandler(database, () => {
      stored += 1;
    });
    const input = { productId: 'kopi', quantity: 2, idempotencyKey: 'once' };
    const orders = await Promise.all(Array.from({ length: 50 }, () => createOrder('', input)));
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    expect(await database.order.count()).toBe(1);
    expect(stored).toBeGreaterThan(0);
  });

  it('refuses a known key with another input, and keeps the order', async () => {
    const createOrder = createOrderHandler(database, () => {});
    const input = { productId: 'kopi', quantity: 2, idempotencyKey: 'k' };
    await createOrder('', input);
    await expect(createOrder('', { ...input, quantity: 3 })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect(await database.order.count()).toBe(1);
  });

  it('keeps a final status whatever is written', async () => {
    const [order] = await insertOrders(database, [newOrder]);
    const settle = (status: string, reason: string | null) => database.$executeRaw`
      UPDATE orders SET status = ${status}::order_status, decided_at = now(),
        rejection_reason = ${reason}::rejection_reason WHERE id = ${order?.id}::uuid`;
    await settle('CONFIRMED', null);
    await expect(settle('REJECTED', 'OUT_OF_STOCK')).rejects.toThrow(/already CONFIRMED/);
  });
});
