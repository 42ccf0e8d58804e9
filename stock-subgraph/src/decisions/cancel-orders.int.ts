import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import {
  decodeOrderDecided,
  decodeStockChanged,
  ORDER_CANCELLED,
  ORDER_CREATED,
  type OrderCreated,
  type OrderDecided,
  STOCK_QUANTITY,
} from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters, type InboxMessage } from '@gudang/outbox';
import { eventually } from '@gudang/testing/eventually';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from '../stocks/add-stock.ts';
import { adjustStock, deleteStock } from '../stocks/change-stock.ts';
import type { OrderRequest } from './decide.ts';
import { decideOrders } from './decide-orders.ts';

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
  await addStock({ database }, { id: ID, name: 'Kopi', quantity: 10 });
});

const ID = 'kopi';
const REQUESTED = new Date('2026-01-02T03:04:05.678Z');
const record: KafkaRecord = {
  topic: ORDER_CANCELLED,
  partition: 0,
  offset: '1',
  timestamp: '0',
  key: null,
  value: Buffer.from('{}'),
  headers: {},
};
const orderOf = (quantity: number): OrderCreated => ({ id: randomUUID(), productId: ID, quantity });
const batch = (...requests: OrderRequest[]): InboxMessage<OrderRequest>[] =>
  requests.map((message) => ({ message, record }));
const create = (...orders: OrderCreated[]) =>
  decideOrders(database, batch(...orders), new DeadLetters(ORDER_CREATED));
const cancel = (order: OrderCreated, requestedAt = REQUESTED) =>
  decideOrders(database, batch({ ...order, requestedAt }), new DeadLetters(ORDER_CANCELLED));
const stock = () => database.stock.findUniqueOrThrow({ where: { id: ID } });
const ledger = async () =>
  (await database.movement.findMany({ orderBy: { version: 'asc' } })).map(({ kind, delta }) => [
    kind,
    delta,
  ]);
const valuesOf = async (topic: string): Promise<Uint8Array[]> => {
  const rows = await database.$queryRaw<{ value: Uint8Array }[]>`
    SELECT value FROM outbox WHERE topic = ${topic} ORDER BY id`;
  return rows.map(({ value }) => value);
};
const announced = async (): Promise<OrderDecided[]> =>
  (await valuesOf('order_decided')).map((value) => {
    const decoded = decodeOrderDecided(value);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  });

interface Decider {
  readonly orderId: string;
  readonly commit: () => Promise<void>;
}
const byOrder = (one: Decider, other: Decider): number => (one.orderId < other.orderId ? -1 : 1);

/** Rejects an order in a transaction that is still open. */
function decideUncommitted(order: OrderCreated): Promise<Decider> {
  return new Promise((inserted, failed) => {
    const transaction = database.transaction(async (statements) => {
      await statements.$executeRaw`
        INSERT INTO decisions (order_id, product_id, quantity, status, reason, decided_at)
        VALUES (${order.id}::uuid, ${order.productId}, ${order.quantity}, 'REJECTED', 'UNKNOWN_PRODUCT',
                now())`;
      await new Promise<void>((resolve) => {
        const commit = (): Promise<void> => {
          resolve();
          return transaction;
        };
        inserted({ orderId: order.id, commit });
      });
    });
    transaction.catch(failed);
  });
}

/** Returns the number of statements that wait for a lock. */
async function waiting(): Promise<number> {
  const [found] = await database.$queryRaw<{ count: number }[]>`
    SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return found?.count ?? 0;
}

describe('decideOrders for a request to cancel', () => {
  it('writes the stock, ledger entry, decision and both events in one transaction', async () => {
    const order = orderOf(4);
    await create(order);
    expect(await cancel(order)).toMatchObject({ cancelled: 1, repeat: 0 });
    const { quantity, version, updatedAt } = await stock();
    expect({ quantity, version }).toEqual({ quantity: 10, version: 3 });
    expect(await ledger()).toEqual([
      ['CREATED', 10],
      ['ORDERED', -4],
      ['RETURNED', 4],
    ]);
    const [confirmed, cancelled] = await announced();
    expect(cancelled).toEqual({
      ...confirmed,
      status: 'CANCELLED',
      quantityAfter: 10,
      cancelledAt: updatedAt,
    });
    const changed = (await valuesOf('stock_changed')).at(-1);
    expect(decodeStockChanged(changed ?? new Uint8Array())).toMatchObject({
      kind: 'RETURNED',
      delta: 4,
      orderId: order.id,
      stock: { quantity: 10, version: 3, updatedAt },
    });
  });

  it('announces the cancellation again for a repeat, and changes nothing', async () => {
    const order = orderOf(4);
    await create(order);
    await cancel(order);
    expect(await cancel(order)).toMatchObject({ cancelled: 0, repeat: 1 });
    expect(await create(order)).toMatchObject({ confirmed: 0, repeat: 1 });
    expect((await stock()).version).toBe(3);
    const [, cancelled, ...repeats] = await announced();
    expect(repeats).toEqual([cancelled, cancelled]);
  });

  it('takes nothing for an order that was cancelled before it arrived', async () => {
    const order = orderOf(4);
    expect(await cancel(order)).toMatchObject({ cancelled: 1 });
    expect(await create(order)).toMatchObject({ repeat: 1 });
    expect(await ledger()).toEqual([['CREATED', 10]]);
    const [first, second] = await announced();
    expect(first).toMatchObject({ status: 'CANCELLED', reason: null, quantityAfter: 10 });
    expect(first?.cancelledAt).toEqual(first?.decidedAt);
    expect(second).toEqual(first);
  });

  it('returns nothing to a stock that was deleted since, even if it was added again', async () => {
    const [first, second] = [orderOf(1), orderOf(2)];
    await create(first, second);
    await deleteStock({ database }, { id: ID });
    expect(await cancel(first)).toMatchObject({ cancelled: 1 });
    await addStock({ database }, { id: ID, name: 'Kopi', quantity: 5 });
    expect(await cancel(second)).toMatchObject({ cancelled: 1 });
    expect(await stock()).toMatchObject({ quantity: 5, version: 5 });
    expect((await announced()).map(({ status, quantityAfter }) => [status, quantityAfter])).toEqual(
      [
        ['CONFIRMED', 9],
        ['CONFIRMED', 7],
        ['CANCELLED', null],
        ['CANCELLED', 5],
      ],
    );
  });

  it('refuses a return above the maximum, and accepts a later request', async () => {
    const order = orderOf(4);
    await create(order);
    await adjustStock({ database }, { id: ID, delta: STOCK_QUANTITY.max - 6 });
    expect(await cancel(order)).toMatchObject({ refused: 1 });
    const [, refusal] = await announced();
    expect(refusal).toMatchObject({
      status: 'CONFIRMED',
      cancelledAt: null,
      cancelRefusal: { at: expect.any(Date), requestedAt: REQUESTED },
    });
    await adjustStock({ database }, { id: ID, delta: -100 });
    // The refused request stays refused, because the order service has told the client so.
    expect(await cancel(order)).toMatchObject({ repeat: 1, cancelled: 0 });
    expect((await announced()).at(-1)).toEqual(refusal);
    const later = new Date(REQUESTED.getTime() + 1);
    expect(await cancel(order, later)).toMatchObject({ cancelled: 1 });
    expect((await stock()).quantity).toBe(STOCK_QUANTITY.max - 96);
    expect((await announced()).at(-1)).toMatchObject({ status: 'CANCELLED', cancelRefusal: null });
  });

  it('returns the units of an order that the earlier release decided, without a stock version', async () => {
    const order = orderOf(4);
    await create(order);
    await database.$executeRaw`UPDATE decisions SET stock_version = NULL`;
    expect(await cancel(order)).toMatchObject({ cancelled: 1 });
    expect((await stock()).quantity).toBe(10);
  });

  it('dead-letters a request with another product or quantity than the order', async () => {
    const order = orderOf(4);
    await create(order);
    expect(await cancel({ ...order, quantity: 5 })).toMatchObject({ dead_letter: 1, cancelled: 0 });
    expect(await cancel({ ...order, productId: 'teh' })).toMatchObject({ dead_letter: 1 });
    expect(await valuesOf('order_cancelled.dlt')).toHaveLength(2);
    expect((await stock()).quantity).toBe(6);
  });

  it('returns each quantity once while consumers decide and cancel the same orders concurrently', async () => {
    const orders = Array.from({ length: 60 }, () => orderOf(1));
    const requests = orders.map((order) => ({ ...order, requestedAt: REQUESTED }));
    await adjustStock({ database }, { id: ID, delta: 990 });
    const created = new DeadLetters(ORDER_CREATED);
    const cancelled = new DeadLetters(ORDER_CANCELLED);
    await Promise.all([
      decideOrders(database, batch(...orders), created),
      decideOrders(database, batch(...orders.toReversed()), created),
      decideOrders(database, batch(...requests.slice(30)), cancelled),
      decideOrders(database, batch(...requests.toReversed()), cancelled),
    ]);
    expect((await stock()).quantity).toBe(1_000);
    expect(
      await database.$queryRaw`
      SELECT status::text, count(*)::int AS count FROM decisions GROUP BY status`,
    ).toEqual([{ status: 'CANCELLED', count: 60 }]);
  });

  it('decides a batch of orders for unknown products while another consumer decides them one by one', async () => {
    const orders = Array.from({ length: 3 }, () => ({ ...orderOf(1), productId: 'unknown' }));
    const deciders = await Promise.all(orders.map(decideUncommitted));
    const deciding = create(...orders);
    // The batch is stored in the order of the ids, and therefore waits for one transaction after another.
    for (const { commit } of deciders.toSorted(byOrder)) {
      await eventually(waiting, (count) => count > 0, { until: 'the batch waits for a decision' });
      await commit();
    }
    expect(await deciding).toMatchObject({ rejected: 0, repeat: orders.length });
  });

  it('is bound by the database to one ledger entry per order and kind', async () => {
    const order = orderOf(4);
    await create(order);
    await cancel(order);
    for (const kind of ['ORDERED', 'RETURNED']) {
      await expect(
        database.$executeRaw`
          INSERT INTO movements (stock_id, version, kind, delta, quantity_after, order_id)
          VALUES (${ID}, 4, ${kind}::stock_change_kind, 1, 11, ${order.id}::uuid)`,
      ).rejects.toThrow('movements_order_id_kind_idx');
    }
  });
});
