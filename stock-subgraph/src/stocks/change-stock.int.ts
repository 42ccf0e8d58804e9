import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { StockState } from '@gudang/events';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from './add-stock.ts';
import { adjustStock, deleteStock, updateStock } from './change-stock.ts';

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
  await addStock({ database }, { id: 'kopi', name: 'Kopi', quantity: 10 });
});

const stock = (): Promise<StockState> =>
  database.stock.findUniqueOrThrow({ where: { id: 'kopi' } });
/**
 * Checks that the ledger has one entry for each version, and that the sum of its deltas is the stock's
 * quantity.
 */
async function expectLedgerAgrees(): Promise<void> {
  const { quantity, version } = await stock();
  const [sum] = await database.$queryRaw<{ total: number; entries: number }[]>`
    SELECT sum(delta)::int AS total, count(*)::int AS entries FROM movements`;
  expect(sum).toEqual({ total: quantity, entries: version });
}

describe('adjustStock', () => {
  it('applies all of 20 concurrent changes', async () => {
    await Promise.all(
      Array.from({ length: 20 }, () => adjustStock({ database }, { id: 'kopi', delta: 1 })),
    );
    expect(await stock()).toMatchObject({ quantity: 30, version: 21 });
    await expectLedgerAgrees();
  });

  it('rejects a delta that would make the quantity negative, reports the allowed range, and changes nothing', async () => {
    await expect(adjustStock({ database }, { id: 'kopi', delta: -11 })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      details: { argument: 'delta', allowed: expect.stringContaining('from -10 to') },
    });
    expect(await stock()).toMatchObject({ quantity: 10, version: 1 });
  });
});

describe('updateStock', () => {
  it('accepts only one of several concurrent updates that expect the same version', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        updateStock(
          { database },
          {
            id: 'kopi',
            input: { name: `Kopi ${index}`, quantity: index, expectedVersion: 1 },
          },
        ),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason.code).toBe('VERSION_CONFLICT');
    }
    expect(await stock()).toMatchObject({ version: 2 });
    await expectLedgerAgrees();
  });
});

describe('addStock', () => {
  it('continues the version numbers and the ledger of a deleted stock', async () => {
    const deleted = await deleteStock({ database }, { id: 'kopi' });
    expect(deleted).toMatchObject({ quantity: 10, version: 2 });
    await expectLedgerAgrees();
    await expect(deleteStock({ database }, { id: 'kopi' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const added = await addStock({ database }, { id: 'kopi', name: 'Kopi baru', quantity: 3 });
    expect(added).toMatchObject({ quantity: 3, version: 3 });
    await expectLedgerAgrees();
  });

  it('rejects the id of an existing stock', async () => {
    const adding = addStock({ database }, { id: 'kopi', name: 'Kopi', quantity: 1 });
    await expect(adding).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('adds one stock for ten concurrent requests with the same id', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        addStock({ database }, { id: 'teh', name: 'Teh', quantity: 1 }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
