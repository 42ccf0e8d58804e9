import { parseCursor } from '@gudang/change-feed';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { currentCursor } from './current-cursor.ts';
import { ORDER_STREAM } from './watch-keys.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'order');
  database = openDatabase({ url: testDatabase.url, pool: 2 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

describe('currentCursor', () => {
  it('carries the time of the database while the change feed knows no time', async () => {
    const unknown = { stream: ORDER_STREAM, epoch: '-', offset: null, at: 0 };
    const cursor = parseCursor(await currentCursor(database, unknown), ORDER_STREAM);
    const [row] = await database.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
    expect(cursor).toMatchObject({ epoch: '-', offset: null });
    expect(Math.abs((row?.now.getTime() ?? 0) - (cursor?.at ?? 0))).toBeLessThan(10_000);
    const known = { ...unknown, offset: 3, at: 5 };
    expect(parseCursor(await currentCursor(database, known), ORDER_STREAM)).toEqual(known);
  });
});
