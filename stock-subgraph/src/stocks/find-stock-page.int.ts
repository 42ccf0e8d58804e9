import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { PageArguments } from '@gudang/subgraph';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { findStockPage, type StockFilter } from './find-stock-page.ts';
import { formatStockCursor, parseStockPage, type StockSort } from './stock-cursors.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  database = openDatabase({ url: testDatabase.url, pool: 4 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});

const ORDERS = {
  CREATED_DESC: Prisma.sql`created_at DESC, id DESC`,
  NAME_ASC: Prisma.sql`lower(name) COLLATE "C", id`,
  QUANTITY_ASC: Prisma.sql`quantity, id`,
} as const;

const stock = fc.record({
  name: fc.constantFrom('Kopi', 'kopi', 'KOPI luwak', 'Ägypten', 'äpfel', 'Zimt', '漢字', '𝔘', ' '),
  // Around the squares, at which the level changes.
  quantity: fc.constantFrom(0, 0, 1, 3, 4, 5, 8, 9, 10, 15, 16, 2_147_395_600, 2_147_483_647),
  hour: fc.nat(3),
  isDeleted: fc.constantFrom(false, false, false, true),
});

const asked = fc.record({
  sort: fc.constantFrom<StockSort>('CREATED_DESC', 'NAME_ASC', 'QUANTITY_ASC'),
  quantityAtMost: fc.constantFrom(undefined, 0, 1, 4, 8, 15, 2_147_483_646, 2_147_483_647),
  search: fc.constantFrom(undefined, undefined, 'KOPI', 'sku-1'),
  size: fc.integer({ min: 1, max: 7 }),
});

async function store(stocks: readonly (typeof stock extends fc.Arbitrary<infer T> ? T : never)[]) {
  await database.$executeRaw`TRUNCATE stocks, movements`;
  const quantities = stocks.map(({ quantity, isDeleted }) => (isDeleted ? 0 : quantity));
  await database.$executeRaw`
    INSERT INTO stocks (id, name, quantity, created_at, deleted_at)
    SELECT 'sku-' || number, name, quantity, '2026-01-01'::timestamptz + hour * interval '1 hour',
      CASE WHEN deleted THEN now() END
    FROM unnest(${stocks.map(({ name }) => name)}::text[], ${quantities}::int[],
      ${stocks.map(({ hour }) => hour)}::int[],
      ${stocks.map(({ isDeleted }) => isDeleted)}::boolean[])
      WITH ORDINALITY AS made (name, quantity, hour, deleted, number)`;
}

/** Reads the whole list without pages, by the plain statement. */
async function listOf(sort: StockSort, { search, quantityAtMost }: StockFilter): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM stocks WHERE deleted_at IS NULL
      AND quantity <= ${quantityAtMost ?? 2_147_483_647}
      AND position(lower(${search ?? ''}::text) in lower(name || ' ' || id)) > 0
    ORDER BY ${ORDERS[sort]}`;
  return rows.map(({ id }) => id);
}

const read = (sort: StockSort, page: PageArguments, filter: StockFilter) =>
  findStockPage(database, parseStockPage(sort, page), filter);

/** Reads the list page by page, from its start or from its end. */
async function pagesOf(sort: StockSort, filter: StockFilter, size: number, forward: boolean) {
  const seen: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = forward ? { first: size, after: cursor } : { last: size, before: cursor };
    const rows = await read(sort, page, filter);
    const shown = rows.slice(0, size);
    if (forward) seen.push(...shown.map(({ id }) => id));
    else seen.unshift(...shown.map(({ id }) => id).reverse());
    const last = shown.at(-1);
    if (rows.length <= size || !last) return seen;
    cursor = formatStockCursor(sort, last);
  }
}

it('reads every list in pages without a gap or repeat, in both directions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stock, { maxLength: 25 }),
      fc.array(asked, { minLength: 1, maxLength: 6 }),
      async (stocks, lists) => {
        await store(stocks);
        for (const { sort, size, ...filter } of lists) {
          const all = await listOf(sort, filter);
          expect(await pagesOf(sort, filter, size, true)).toEqual(all);
          expect(await pagesOf(sort, filter, size, false)).toEqual(all);
        }
      },
    ),
    { seed: 18, numRuns: 25 },
  );
});

it('reads the stocks between two cursors', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stock, { minLength: 2, maxLength: 15 }),
      asked,
      fc.nat(),
      fc.nat(),
      async (stocks, { sort, size, ...filter }, one, other) => {
        await store(stocks);
        const rows = await read(sort, { first: 100 }, filter);
        if (rows.length < 2) return;
        const [from, to] = [one % rows.length, other % rows.length].toSorted((a, b) => a - b);
        if (from === undefined || to === undefined) return;
        const cursors = rows.map((row) => formatStockCursor(sort, row));
        const bounds = { after: cursors[from], before: cursors[to] };
        const between = rows.slice(from + 1, Math.max(to, from + 1)).map(({ id }) => id);
        const found = await read(sort, { first: size, ...bounds }, filter);
        expect(found.map(({ id }) => id)).toEqual(between.slice(0, size + 1));
        const last = await read(sort, { last: size, ...bounds }, filter);
        expect(last.map(({ id }) => id)).toEqual(between.toReversed().slice(0, size + 1));
      },
    ),
    { seed: 18, numRuns: 30 },
  );
});

describe('a cursor', () => {
  const sorts: StockSort[] = ['CREATED_DESC', 'NAME_ASC', 'QUANTITY_ASC'];
  const at = new Date('2026-01-01');
  const cursorOf = (sort: StockSort, name = 'Kopi') =>
    formatStockCursor(sort, {
      id: 'kopi,"1"',
      name,
      quantity: 7,
      version: 1,
      createdAt: at,
      updatedAt: at,
    });

  it.each(sorts.flatMap((of) => sorts.filter((with_) => with_ !== of).map((with_) => [of, with_])))(
    'of a list sorted by %s is rejected with the sort %s',
    (of = 'NAME_ASC', with_ = 'NAME_ASC') => {
      expect(() => parseStockPage(with_, { after: cursorOf(of) })).toThrow(
        expect.objectContaining({
          code: 'BAD_USER_INPUT',
          details: expect.objectContaining({
            argument: 'after',
            allowed: `a cursor that this list has given with the sort ${with_}`,
          }),
        }),
      );
    },
  );

  it.each(sorts)('of the longest name and id is accepted with the sort %s', (sort) => {
    const cursor = cursorOf(sort, '𝔘'.repeat(255));
    expect(() => parseStockPage(sort, { before: cursor })).not.toThrow();
  });

  it.each([
    'sn:',
    'sn:{}',
    'sn:["a"]',
    'sn:["a","b","c"]',
    'sn:["",""]',
    'sn:["a\\u0000","b"]',
    'sn:["a\\ud800","b"]',
    'sn:[1,"b"]',
    'sq:["1","b"]',
    'sq:[1.5,"b"]',
    'sq:[-1,"b"]',
    'sq:[2147483648,"b"]',
    'sq:[1e999,"b"]',
    'sq:[1,null]',
  ])('%s that no list has given is rejected', (text) => {
    const sort = text.startsWith('sn:') ? 'NAME_ASC' : 'QUANTITY_ASC';
    const after = Buffer.from(text).toString('base64url');
    expect(() => parseStockPage(sort, { after })).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
  });
});
