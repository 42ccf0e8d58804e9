import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { ORDER_CREATED, type OrderCreated } from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters, type InboxMessage } from '@gudang/outbox';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from '../stocks/add-stock.ts';
import { deleteStock } from '../stocks/change-stock.ts';
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

const ID = 'kopi';
const QUANTITY = 7;
const ROUNDS = 25;
const record: KafkaRecord = {
  topic: 'order_created',
  partition: 0,
  offset: '1',
  timestamp: '0',
  key: null,
  value: null,
  headers: {},
};
const batchOf = (size: number): InboxMessage<OrderCreated>[] =>
  Array.from({ length: size }, () => ({
    message: { id: randomUUID(), productId: ID, quantity: 1 },
    record,
  }));

describe('decideOrders', () => {
  it('subtracts no units from a deleted stock while the stock is repeatedly deleted and added again', async () => {
    await addStock({ database }, { id: ID, name: 'Kopi', quantity: QUANTITY });
    const batches = Array.from({ length: ROUNDS }, () => batchOf(3));
    const ordering = async (): Promise<void> => {
      for (const batch of batches) {
        // Decide the same batch twice concurrently, as after a rebalance.
        await Promise.all([
          decideOrders(database, batch, deadLetters),
          decideOrders(database, batch, deadLetters),
        ]);
      }
    };
    const replacing = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await deleteStock({ database }, { id: ID });
        // The stock does not exist during this statement, so some orders are for an unknown product.
        await database.$queryRaw`SELECT count(*) FROM decisions`;
        await addStock({ database }, { id: ID, name: `Kopi ${round}`, quantity: QUANTITY });
      }
    };
    await Promise.all([ordering(), replacing()]);

    const ledger = await database.movement.findMany({ orderBy: { version: 'asc' } });
    expect(ledger.map(({ version }) => version)).toEqual(ledger.map((_, index) => index + 1));
    let quantity = 0;
    let exists = false;
    const confirmed = new Set<string>();
    for (const { kind, delta, quantityAfter, orderId } of ledger) {
      quantity += delta;
      expect(quantity).toBe(quantityAfter);
      expect(quantity).toBeGreaterThanOrEqual(0);
      if (kind === 'ORDERED') {
        expect(exists).toBe(true);
        expect(confirmed).not.toContain(orderId);
        confirmed.add(orderId ?? '');
      } else exists = kind === 'CREATED';
    }
    expect(await database.stock.findUniqueOrThrow({ where: { id: ID } })).toMatchObject({
      quantity: quantity,
      version: ledger.length,
      deletedAt: null,
    });

    const orders = batches.flat().map(({ message }) => message.id);
    const decisions = await database.$queryRaw<
      { orderId: string; status: string; reason: string | null }[]
    >`SELECT order_id AS "orderId", status::text, reason::text FROM decisions`;
    expect(new Set(decisions.map(({ orderId }) => orderId))).toEqual(new Set(orders));
    expect(decisions).toHaveLength(orders.length);
    for (const { orderId, status, reason } of decisions) {
      expect(status === 'CONFIRMED').toBe(confirmed.has(orderId));
      if (status === 'REJECTED') expect(['OUT_OF_STOCK', 'UNKNOWN_PRODUCT']).toContain(reason);
    }
  });
});
