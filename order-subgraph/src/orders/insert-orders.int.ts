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
    'stores a PENDING order and both events in one transaction, encoded as @gudang/events does (owner "%s")',
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
      expect(decodeOrderChanged(changed?.value ?? new Uint8Array())).toEqual({
        order,
        previousStatus: null,
      });
    },
  );

  it('returns the existing order for a repeated idempotency key, both within a batch and across batches', async () => {
    const keyed = { ...newOrder, idempotencyKey: 'k' };
    const [first, same, other] = await insertOrders(database, [keyed, keyed, newOrder]);
    const [again] = await insertOrders(database, [keyed]);
    expect(same?.id).toBe(first?.id);
    expect(again?.id).toBe(first?.id);
    expect(other?.id).not.toBe(first?.id);
    expect(await database.order.count()).toBe(2);
    expect(await outbox()).toHaveLength(4);
  });

  it('inserts keys in one order, so that two replicas with the same keys cannot deadlock', async () => {
    const replica = openDatabase({ url: testDatabase.url, pool: 2 });
    try {
      for (let round = 0; round < 5; round += 1) {
        const keys = Array.from({ length: 200 }, (_, index) => `${round}-${(index * 73) % 200}`);
        const orders = keys.map((idempotencyKey) => ({ ...newOrder, idempotencyKey }));
        const [ours, theirs] = await Promise.all([
          insertOrders(database, orders),
          insertOrders(replica, orders.toReversed()),
        ]);
        expect(ours.map(({ id }) => id)).toEqual(theirs.toReversed().map(({ id }) => id));
      }
    } finally {
      await replica.$disconnect();
    }
    expect(await database.order.count()).toBe(1_000);
    const statistics = await database.$queryRaw<{ deadlocks: number }[]>`
      SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()`;
    expect(statistics).toEqual([{ deadlocks: 0 }]);
  });

  it('writes an order’s traceparent only to the two events of this order', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [traced] = await insertOrders(database, [{ ...newOrder, traceparent }, newOrder]);
    const rows = await database.$queryRaw<{ own: boolean; traceparent: string | null }[]>`
      SELECT position(${traced?.id} IN convert_from(value, 'UTF8')) > 0 AS own, traceparent
      FROM outbox`;
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row.traceparent).toBe(row.own ? traceparent : null);
    expect(rows.filter(({ own }) => own)).toHaveLength(2);
  });

  it('creates two orders if two owners use the same idempotency key', async () => {
    const keyed = { ...newOrder, idempotencyKey: 'k' };
    const [one, two] = await insertOrders(database, [keyed, { ...keyed, owner: 'someone' }]);
    expect(one?.id).not.toBe(two?.id);
  });

  it('rejects a quantity that violates the database constraint', async () => {
    const error = await insertOrders(database, [{ ...newOrder, quantity: 0 }]).catch((e) => e);
    expect(isInvalidData(error)).toBe(true);
    expect(await outbox()).toEqual([]);
  });
});

describe('createOrder', () => {
  it('creates one order for 50 concurrent requests with the same key', async () => {
    let notified = 0;
    const createOrder = createOrderHandler(database, () => {
      notified += 1;
    });
    const input = { productId: 'kopi', quantity: 2, idempotencyKey: 'once' };
    const orders = await Promise.all(Array.from({ length: 50 }, () => createOrder('', input)));
    expect(new Set(orders.map(({ id }) => id)).size).toBe(1);
    expect(await database.order.count()).toBe(1);
    expect(notified).toBeGreaterThan(0);
  });

  it('rejects a repeated key with a different input and keeps the order', async () => {
    const createOrder = createOrderHandler(database, () => {});
    const input = { productId: 'kopi', quantity: 2, idempotencyKey: 'k' };
    await createOrder('', input);
    await expect(createOrder('', { ...input, quantity: 3 })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect(await database.order.count()).toBe(1);
  });

  it('creates an order whose final status cannot be overwritten', async () => {
    const [order] = await insertOrders(database, [newOrder]);
    const settle = (status: string, reason: string | null) => database.$executeRaw`
      UPDATE orders SET status = ${status}::order_status, decided_at = now(),
        rejection_reason = ${reason}::rejection_reason WHERE id = ${order?.id}::uuid`;
    await settle('CONFIRMED', null);
    await expect(settle('REJECTED', 'OUT_OF_STOCK')).rejects.toThrow(/already CONFIRMED/);
  });
});
