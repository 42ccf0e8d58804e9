import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { decodeOrderChanged, ORDER_DECIDED, type OrderDecided } from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters } from '@gudang/outbox';
import { type OrderHistory, sampleHistories } from '@gudang/testing/histories/generate-histories';
import { type Announcement, OrderModel } from '@gudang/testing/histories/order-model';
import { createRandom } from '@gudang/testing/random';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { settleOrders } from './settle-orders.ts';

const HISTORIES = 300;
const SEED = 18;
const LARGEST_BATCH = 60;
const DECIDED = new Date('2026-01-02T03:04:00.000Z');
const CANCELLED = new Date('2026-01-02T03:05:00.000Z');

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

const record: KafkaRecord = {
  topic: ORDER_DECIDED,
  partition: 0,
  offset: '0',
  timestamp: '0',
  key: null,
  value: Buffer.from('{}'),
  headers: {},
};

/** An order, the time of its last request to cancel, and what the stock service announces about it. */
interface ExpectedOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  requestedAt: Date | null;
  readonly announced: OrderDecided[];
  /** The stored decision: the last announcement, in any order of arrival. */
  readonly last: Announcement;
}

function ordersOf({ steps }: OrderHistory): ExpectedOrder[] {
  const model = new OrderModel();
  const announced: Announcement[] = [];
  const requests = new Map<string, Date>();
  for (const step of steps) {
    if (step.kind !== 'deliver') model[step.kind](step.productId, step.quantity);
    else {
      for (const request of step.batch) {
        const announcement = model.answer(request);
        if (!announcement) continue;
        announced.push(announcement);
        const before = requests.get(request.id);
        if ('requestedAt' in request && !(before && before > request.requestedAt)) {
          requests.set(request.id, request.requestedAt);
        }
      }
    }
  }
  return [...model.orders].map(([id, { productId, quantity, status, reason, refused }]) => ({
    id,
    productId,
    quantity,
    requestedAt: requests.get(id) ?? null,
    announced: announced
      .filter(({ orderId }) => orderId === id)
      .map((one) => decided(one, productId)),
    last: { orderId: id, status, reason, refused },
  }));
}

function decided({ refused, ...announcement }: Announcement, productId: string): OrderDecided {
  return {
    ...announcement,
    productId,
    quantityAfter: null,
    decidedAt: DECIDED,
    cancelledAt: announcement.status === 'CANCELLED' ? CANCELLED : null,
    cancelRefusal: refused && { at: CANCELLED, requestedAt: refused },
  };
}

async function insertPending(orders: readonly ExpectedOrder[]): Promise<void> {
  await database.$executeRaw`
    INSERT INTO orders (id, product_id, quantity, cancel_requested_at)
    SELECT * FROM unnest(
      ${orders.map(({ id }) => id)}::uuid[], ${orders.map(({ productId }) => productId)}::text[],
      ${orders.map(({ quantity }) => quantity)}::int[],
      ${orders.map(({ requestedAt }) => requestedAt)}::timestamptz[])`;
}

it(`settleOrders reaches the states of the stock service in ${HISTORIES} histories, in any order of the decisions`, async () => {
  const random = createRandom(SEED);
  const orders = sampleHistories(HISTORIES, SEED).flatMap(ordersOf);
  await insertPending(orders);
  const all = orders.flatMap(({ announced }) => announced);
  // Every decision arrives at least once, and many arrive twice, as after a rebalance.
  const deliver = async (decisions: readonly OrderDecided[]): Promise<void> => {
    for (let start = 0; start < decisions.length; ) {
      const end = start + random.between(1, LARGEST_BATCH);
      const batch = decisions.slice(start, end).map((message) => ({ message, record }));
      await settleOrders(database, batch, new DeadLetters(ORDER_DECIDED));
      start = random.chance(0.2) ? end - random.between(0, Math.min(end - start, 5) - 1) : end;
    }
  };
  await Promise.all([deliver(random.shuffled(all)), deliver(random.shuffled(all))]);

  const letters = await database.$queryRaw`SELECT FROM outbox WHERE topic LIKE '%.dlt'`;
  expect(letters).toEqual([]);
  const stored = await database.order.findMany();
  const byId = new Map(stored.map((order) => [order.id, order]));
  for (const { id, requestedAt, last } of orders) {
    const isRefused = requestedAt !== null && last.refused?.getTime() === requestedAt.getTime();
    expect(byId.get(id)).toMatchObject({
      status: last.status,
      rejectionReason: last.reason,
      decidedAt: DECIDED,
      cancelledAt: last.status === 'CANCELLED' ? CANCELLED : null,
      cancelRequestedAt: isRefused ? null : (byId.get(id)?.cancelRequestedAt ?? null),
    });
    // The request stays until an answer to this request, so an unanswered one is published again.
    if (requestedAt && last.status === 'CONFIRMED') expect(isRefused).toBe(true);
  }
  const rows = await database.$queryRaw<{ value: Uint8Array; version: number }[]>`
    SELECT value, version FROM outbox WHERE topic = 'order_changed' ORDER BY id`;
  const seen = new Map<string, { version: number; status: string }>();
  for (const { value, version } of rows) {
    const { order, previousStatus } = decodeOrderChanged(value);
    const { id, status } = order;
    const before = seen.get(id) ?? { version: 1, status: 'PENDING' };
    expect({ version, previousStatus }).toEqual({
      version: before.version + 1,
      previousStatus: before.status,
    });
    seen.set(id, { version, status });
  }
  for (const { id, status, version } of stored) expect(seen.get(id)).toEqual({ version, status });
});
