import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { genericPlans } from '@gudang/postgres/testing';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { findOrderPage, findOrderPages, findOrders } from './find-orders.ts';

const ORDERS = 20_000;
const START = new Date('2026-01-01T00:00:00Z');

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'order');
  database = openDatabase({ url: testDatabase.url, pool: 1 });
  await database.$executeRaw`
    INSERT INTO orders (id, owner, product_id, quantity, created_at)
    SELECT gen_random_uuid(), CASE WHEN n % 3 = 0 THEN '' ELSE 'owner ' || n % 7 END,
      'product ' || n % 50, 1, ${START}::timestamptz + n * interval '1 second'
    FROM generate_series(1, ${ORDERS}::int) AS n`;
  await database.$executeRaw`ANALYZE orders`;
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

const at: KeysetCursor = { at: new Date(START.getTime() + 5_000_000), id: randomUUID() };
const pages: readonly Page<KeysetCursor>[] = [true, false].flatMap((forward) =>
  [undefined, at].flatMap((after) =>
    [undefined, at].map((before) => ({ size: 50, forward, after, before })),
  ),
);

it('prepares only statements whose plan for all values uses an index and sorts nothing', async () => {
  await findOrders(database, [randomUUID()], 'all');
  for (const page of pages) {
    await findOrderPage(database, page, { visibility: 'all' });
    await findOrderPage(database, page, { visibility: { owner: 'owner 1' } });
    await findOrderPage(database, page, { visibility: 'all', productId: 'product 1' });
    await findOrderPage(database, page, { visibility: 'all', status: 'CONFIRMED' });
    await findOrderPages(database, ['product 1', 'product 2'], page, { visibility: 'all' });
    await findOrderPages(database, ['product 1'], page, { visibility: { owner: 'owner 1' } });
  }
  const plans = (await genericPlans(database)).filter(({ text }) => text.includes('FROM orders'));
  // By id, six pages without a filter and at most one cursor, and two first pages of products.
  expect(plans).toHaveLength(1 + 6 + 2);
  for (const { text, plan } of plans) {
    expect(plan, text).toMatch(/Index (Only )?Scan/);
    expect(plan, text).not.toMatch(/Seq Scan on orders|Sort/);
  }
});
