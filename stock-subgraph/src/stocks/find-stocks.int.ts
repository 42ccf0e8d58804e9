import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { genericPlans } from '@gudang/postgres/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { findStockPage } from './find-stock-page.ts';
import { findStocks } from './find-stocks.ts';
import { findMovementPages } from './ledger.ts';

const STOCKS = 5_000;
const at = new Date('2026-01-01T00:00:00Z');

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  database = openDatabase({ url: testDatabase.url, pool: 1 });
  await database.$executeRaw`
    INSERT INTO stocks (id, name, quantity, created_at)
    SELECT 'sku-' || n, 'Kopi ' || n, 7, ${at}::timestamptz + n * interval '1 second'
    FROM generate_series(1, ${STOCKS}::int) AS n`;
  await database.$executeRaw`
    INSERT INTO movements (stock_id, version, kind, delta, quantity_after)
    SELECT 'sku-' || n, change, 'CREATED', 7, 7
    FROM generate_series(1, 40) AS n CROSS JOIN generate_series(1, 200) AS change`;
  await database.$executeRaw`ANALYZE stocks, movements`;
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

it('prepares only statements whose plan for all values uses an index and sorts nothing', async () => {
  await findStocks(database, ['sku-1']);
  let forms = 1;
  for (const forward of [true, false]) {
    for (const isAfter of [true, false]) {
      const created = isAfter ? { at, id: 'sku-1' } : undefined;
      const named = isAfter ? { name: 'Kopi 1', id: 'sku-1' } : undefined;
      const page = { size: 20, forward, before: undefined };
      const byCreation = { sort: 'CREATED_DESC', page: { ...page, after: created } } as const;
      const byName = { sort: 'NAME_ASC', page: { ...page, after: named } } as const;
      await findStockPage(database, byCreation, {});
      await findStockPage(database, byName, {});
      await findStockPage(database, byCreation, { quantityAtMost: 3 });
      await findStockPage(database, byName, { search: 'kopi' });
      forms += 2;
    }
  }
  for (const after of [undefined, 3]) {
    await findMovementPages(database, ['sku-1', 'sku-2'], {
      size: 20,
      forward: true,
      after,
      before: undefined,
    });
  }
  forms += 1;
  const plans = (await genericPlans(database)).filter(({ text }) =>
    /FROM (stocks|movements)/.test(text),
  );
  expect(plans).toHaveLength(forms);
  for (const { text, plan } of plans) {
    expect(plan, text).toMatch(/Index (Only )?Scan/);
    expect(plan, text).not.toMatch(/Seq Scan on|Sort/);
  }
});
