import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { decodeOrderCancelled, decodeOrderCreated } from '@gudang/events';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { insertOrders } from '../orders/insert-orders.ts';
import {
  CANCELLATIONS,
  countUndecided,
  forgetDecided,
  PENDING_ORDERS,
  republishOrders,
} from './republish-orders.ts';

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

/** Stores orders of a given age, in seconds, without events, as if the events had already been sent. */
async function pendingOrders(count: number, secondsAgo: number): Promise<string[]> {
  const order = { owner: '', productId: 'kopi', quantity: 1, idempotencyKey: null };
  const orders = await insertOrders(database, Array(count).fill(order));
  await database.$executeRaw`
    UPDATE orders SET created_at = now() - make_interval(secs => ${secondsAgo})
    WHERE id = ANY(${orders.map(({ id }) => id)}::uuid[])`;
  await database.$executeRaw`DELETE FROM outbox`;
  return orders.map(({ id }) => id);
}

const publishedIds = async (): Promise<string[]> => {
  const rows = await database.$queryRaw<{ value: Uint8Array }[]>`
    SELECT value FROM outbox WHERE topic = 'order_created'`;
  return rows.map(({ value }) => {
    const decoded = decodeOrderCreated(value);
    return decoded.ok ? decoded.message.id : decoded.reason;
  });
};

describe('republishOrders', () => {
  it('publishes only overdue orders', async () => {
    const overdue = await pendingOrders(2, 100);
    await pendingOrders(1, 10);
    const published = await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 });
    expect(published.toSorted()).toEqual(overdue.toSorted());
    expect((await publishedIds()).toSorted()).toEqual(overdue.toSorted());
  });

  it('does not publish decided orders', async () => {
    const [id] = await pendingOrders(1, 100);
    await database.$executeRaw`
      UPDATE orders SET status = 'CONFIRMED', decided_at = now() WHERE id = ${id}::uuid`;
    expect(await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 })).toEqual([]);
  });

  it('does not publish an order whose event may still be in the outbox', async () => {
    await pendingOrders(1, 100);
    const [later] = await pendingOrders(1, 90);
    await database.$executeRaw`
      INSERT INTO outbox (topic, created_at)
      SELECT 'order_created', created_at FROM orders WHERE id = ${later}::uuid`;
    const published = await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 });
    expect(published).toHaveLength(1);
    expect(published).not.toContain(later);
  });

  it('publishes the newest orders first, up to the limit', async () => {
    await pendingOrders(3, 200);
    const [newest] = await pendingOrders(1, 100);
    expect(await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 1 })).toEqual([
      newest,
    ]);
  });

  it('doubles the interval after each publication of an order', async () => {
    const [id] = await pendingOrders(1, 100);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      expect(await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 })).toEqual([
        id,
      ]);
      await database.$executeRaw`DELETE FROM outbox`;
      expect(await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 })).toEqual([]);
      const [row] = await database.$queryRaw<{ wait: number }[]>`
        SELECT extract(epoch FROM next_at - now())::float AS wait FROM reconciliations`;
      waits.push(Math.round((row?.wait ?? 0) / 10) * 10);
      // The time is one second ago instead of now(). The column rounds to milliseconds, so now() could be
      // stored as a time up to half a millisecond in the future.
      await database.$executeRaw`UPDATE reconciliations SET next_at = now() - interval '1 s'`;
    }
    expect(waits).toEqual([60, 120, 240, 480]);
  });
});

describe('republishOrders for cancellations', () => {
  /** Requests the cancellation of orders, as if it had been published some seconds ago. */
  const requestCancel = (ids: readonly string[], secondsAgo: number) => database.$executeRaw`
    UPDATE orders SET cancel_requested_at = now() - make_interval(secs => ${secondsAgo})
    WHERE id = ANY(${ids}::uuid[])`;
  const confirm = (ids: readonly string[]) => database.$executeRaw`
    UPDATE orders SET status = 'CONFIRMED', decided_at = now() WHERE id = ANY(${ids}::uuid[])`;
  const cancellations = async () => {
    const rows = await database.$queryRaw<{ value: Uint8Array }[]>`
      SELECT value FROM outbox WHERE topic = 'order_cancelled'`;
    return rows.map(({ value }) => {
      const decoded = decodeOrderCancelled(value);
      if (!decoded.ok) throw new Error(decoded.reason);
      return decoded.message;
    });
  };
  const round = { after: 60, limit: 10 };

  it('publishes an order that waits for both only as a cancellation, with the time of the request', async () => {
    const [pending = '', confirmed = '', young = '', both = ''] = await pendingOrders(4, 200);
    await confirm([confirmed]);
    await requestCancel([both, confirmed], 100);
    await requestCancel([young], 10);
    expect(await republishOrders(database, PENDING_ORDERS, round)).toEqual([pending]);
    expect((await republishOrders(database, CANCELLATIONS, round)).toSorted()).toEqual(
      [both, confirmed].toSorted(),
    );
    expect(await publishedIds()).toEqual([pending]);
    const orders = await database.order.findMany({ where: { id: { in: [both, confirmed] } } });
    const requests = orders.map(({ id, cancelRequestedAt }) => [id, cancelRequestedAt]);
    expect(
      (await cancellations()).map(({ id, requestedAt }) => [id, requestedAt]).toSorted(),
    ).toEqual(requests.toSorted());
  });

  it('does not publish the cancellation of a cancelled or rejected order', async () => {
    const [cancelled = '', rejected = ''] = await pendingOrders(2, 200);
    await requestCancel([cancelled, rejected], 100);
    await database.$executeRaw`
      UPDATE orders SET status = 'CANCELLED', decided_at = now(), cancelled_at = now()
      WHERE id = ${cancelled}::uuid`;
    await database.$executeRaw`
      UPDATE orders SET status = 'REJECTED', decided_at = now(), rejection_reason = 'OUT_OF_STOCK'
      WHERE id = ${rejected}::uuid`;
    expect(await republishOrders(database, CANCELLATIONS, round)).toEqual([]);
  });

  it('keeps the publication state of a confirmed order until its cancellation is decided', async () => {
    const ids = await pendingOrders(1, 200);
    await confirm(ids);
    await requestCancel(ids, 100);
    await republishOrders(database, CANCELLATIONS, round);
    await forgetDecided(database);
    expect(await countUndecided(database, CANCELLATIONS, ids)).toBe(1);
    expect(await republishOrders(database, CANCELLATIONS, round)).toEqual([]);
    await database.$executeRaw`UPDATE orders SET status = 'CANCELLED', cancelled_at = now()`;
    await forgetDecided(database);
    expect(await countUndecided(database, CANCELLATIONS, ids)).toBe(0);
    expect(await database.$queryRaw`SELECT FROM reconciliations`).toEqual([]);
  });

  it('finds the cancellations by the partial index', async () => {
    await pendingOrders(2_000, 200);
    const [one = ''] = await pendingOrders(1, 200);
    await requestCancel([one], 100);
    await database.$executeRawUnsafe('ANALYZE orders');
    const plan = await database.$queryRaw<{ 'QUERY PLAN': string }[]>`
      EXPLAIN SELECT id FROM orders WHERE ${CANCELLATIONS.isUndecided}
      ORDER BY cancel_requested_at DESC, id DESC LIMIT 10`;
    expect(plan.map((row) => row['QUERY PLAN']).join(' ')).toContain(
      'orders_undecided_cancellations_idx',
    );
  });
});

describe('countUndecided', () => {
  it('counts PENDING orders and deletes the publication state of the others', async () => {
    const [first, second] = await pendingOrders(2, 100);
    const ids = await republishOrders(database, PENDING_ORDERS, { after: 60, limit: 10 });
    await database.$executeRaw`
      UPDATE orders SET status = 'CONFIRMED', decided_at = now() WHERE id = ${first}::uuid`;
    expect(await countUndecided(database, PENDING_ORDERS, ids)).toBe(1);
    await forgetDecided(database);
    const rows = await database.$queryRaw`SELECT order_id::text AS id FROM reconciliations`;
    expect(rows).toEqual([{ id: second }]);
  });
});
