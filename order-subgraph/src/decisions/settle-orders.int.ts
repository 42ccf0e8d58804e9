import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { decodeOrderChanged, ORDER_DECIDED, type OrderDecided } from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters, type InboxMessage } from '@gudang/outbox';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { insertOrders } from '../orders/insert-orders.ts';
import { settleOrders } from './settle-orders.ts';

const deadLetters = new DeadLetters(ORDER_DECIDED);

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'order');
  database = openDatabase({ url: testDatabase.url, pool: 8 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.$executeRaw`TRUNCATE orders, outbox, reconciliations`;
});

const record: KafkaRecord = {
  topic: 'order_decided',
  partition: 2,
  offset: '7',
  timestamp: '0',
  key: Buffer.from('k'),
  value: Buffer.from([0xff, 0x00]),
  headers: { old: Buffer.from('kept'), bad: Buffer.from('a\u0000b') },
};
const confirmed = (orderId: string): OrderDecided => ({
  orderId,
  productId: 'kopi',
  status: 'CONFIRMED',
  reason: null,
  quantityAfter: 1,
  decidedAt: new Date('2026-01-02T03:04:05.678Z'),
  cancelledAt: null,
  cancelRefusal: null,
});
const batch = (...decisions: OrderDecided[]): InboxMessage<OrderDecided>[] =>
  decisions.map((message) => ({ message, record }));

async function pendingOrders(count: number): Promise<string[]> {
  const order = { owner: '', productId: 'kopi', quantity: 1, idempotencyKey: null };
  const orders = await insertOrders(database, Array(count).fill(order));
  await database.$executeRaw`DELETE FROM outbox`;
  return orders.map(({ id }) => id);
}

describe('settleOrders', () => {
  it('writes status and event in one transaction and ignores a duplicate', async () => {
    const [id = ''] = await pendingOrders(1);
    expect(await settleOrders(database, batch(confirmed(id)), deadLetters)).toMatchObject({
      settled: 1,
    });
    expect(await settleOrders(database, batch(confirmed(id)), deadLetters)).toMatchObject({
      repeat: 1,
    });
    const order = await database.order.findUniqueOrThrow({ where: { id } });
    expect(order).toMatchObject({ status: 'CONFIRMED', decidedAt: confirmed(id).decidedAt });
    const events = await database.$queryRaw<{ value: Uint8Array; version: number }[]>`
      SELECT value, version FROM outbox`;
    expect(events).toHaveLength(1);
    expect(events[0]?.version).toBe(2);
    const { idempotencyKey, ...stored } = order;
    expect(idempotencyKey).toBeNull();
    expect(decodeOrderChanged(events[0]?.value ?? new Uint8Array())).toEqual({
      order: stored,
      previousStatus: 'PENDING',
    });
    expect(stored.version).toBe(2);
  });

  it('writes an event for each change of an order within a batch, in their order', async () => {
    const [id = '', other = ''] = await pendingOrders(2);
    await database.$executeRaw`UPDATE orders SET cancel_requested_at = now(), cancel_reason = 'late'`;
    const { cancelRequestedAt } = await database.order.findUniqueOrThrow({ where: { id } });
    const at = new Date('2026-01-02T03:04:06.000Z');
    const refusal = { at, requestedAt: cancelRequestedAt ?? at };
    const decisions = [
      { ...confirmed(id), cancelRefusal: refusal },
      confirmed(other),
      { ...confirmed(id), status: 'CANCELLED', cancelledAt: at } as const,
    ];
    expect(await settleOrders(database, batch(...decisions), deadLetters)).toMatchObject({
      settled: 3,
    });
    const events = await database.$queryRaw<{ value: Uint8Array; version: number }[]>`
      SELECT value, version FROM outbox WHERE convert_from(key, 'UTF8') = ${id} ORDER BY id`;
    const changes = events.map(({ value }) => decodeOrderChanged(value));
    expect(
      changes.map(({ order, previousStatus }) => [
        previousStatus,
        order.status,
        order.version,
        order.cancelReason,
      ]),
    ).toEqual([
      ['PENDING', 'CONFIRMED', 2, 'late'],
      ['CONFIRMED', 'CONFIRMED', 3, null],
      ['CONFIRMED', 'CANCELLED', 4, null],
    ]);
    expect(events.map(({ version }) => version)).toEqual([2, 3, 4]);
    const { idempotencyKey, ...stored } = await database.order.findUniqueOrThrow({ where: { id } });
    expect(idempotencyKey).toBeNull();
    expect(changes.at(-1)?.order).toEqual(stored);
    expect(stored).toMatchObject({ decidedAt: confirmed(id).decidedAt, cancelledAt: at });
  });

  it.each([
    ['CONFIRMED', 'PENDING'],
    ['CANCELLED', 'CONFIRMED'],
    ['CANCELLED', 'REJECTED'],
    ['REJECTED', 'CANCELLED'],
    ['CONFIRMED', 'REJECTED'],
  ])('the database does not let an order move from %s to %s', async (from, to) => {
    const [id = ''] = await pendingOrders(1);
    const move = (status: string) => database.$executeRaw`
      UPDATE orders SET status = ${status}::order_status,
        decided_at = CASE WHEN ${status} <> 'PENDING' THEN now() END,
        cancelled_at = CASE WHEN ${status} = 'CANCELLED' THEN now() END,
        rejection_reason = CASE WHEN ${status} = 'REJECTED' THEN 'OUT_OF_STOCK'::rejection_reason END
      WHERE id = ${id}::uuid`;
    await move(from);
    await expect(move(to)).rejects.toThrow(`already ${from}`);
    // The statement names no version, as in the previous release.
    expect(await database.order.findUniqueOrThrow({ where: { id } })).toMatchObject({ version: 2 });
  });

  it('writes a dead letter with the record’s bytes and origin for a contradictory decision', async () => {
    const [id = ''] = await pendingOrders(1);
    const other = { ...confirmed(id), productId: 'teh' };
    expect(await settleOrders(database, batch(other), deadLetters)).toMatchObject({
      dead_letter: 1,
    });
    const letters = await database.$queryRaw<{ value: Uint8Array; headers: object }[]>`
      SELECT value, headers FROM outbox WHERE topic = 'order_decided.dlt'`;
    expect(Buffer.from(letters[0]?.value ?? [])).toEqual(record.value);
    expect(letters[0]?.headers).toEqual({
      old: 'kept',
      gudang_origin_topic: 'order_decided',
      gudang_origin_partition: '2',
      gudang_origin_offset: '7',
      gudang_origin_timestamp: '0',
      gudang_reason: 'the order is of another product',
    });
    expect((await database.order.findUniqueOrThrow({ where: { id } })).status).toBe('PENDING');
  });

  it('settles each order once when concurrent batches are sorted in opposite directions', async () => {
    const ids = await pendingOrders(50);
    const decisions = ids.map(confirmed);
    const batches = await Promise.all([
      settleOrders(database, batch(...decisions), deadLetters),
      settleOrders(database, batch(...decisions.toReversed()), deadLetters),
    ]);
    expect(batches.reduce((sum, counts) => sum + counts.settled, 0)).toBe(50);
    expect(batches.reduce((sum, counts) => sum + counts.repeat, 0)).toBe(50);
  });
});
