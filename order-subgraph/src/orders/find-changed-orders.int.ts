import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import type { OrderState, OrderStatus } from '@gudang/events';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import {
  type ChangedOrdersFilter,
  findChangedOrders,
  findOrderVersions,
  type OrderPosition,
} from './find-changed-orders.ts';
import { isVisible } from './order-visibility.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const at = (ms: number): Date => new Date(START + ms);

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

type Row = Pick<OrderState, 'id' | 'owner' | 'productId' | 'changedAt'> & {
  readonly status: 'PENDING' | 'CONFIRMED';
};

async function insert(rows: readonly Row[]): Promise<void> {
  await database.$executeRaw`
    INSERT INTO orders (id, owner, product_id, quantity, status, decided_at, changed_at)
    SELECT id, owner, product_id, 1, status::order_status,
      CASE WHEN status <> 'PENDING' THEN now() END, changed_at
    FROM unnest(
      ${rows.map(({ id }) => id)}::uuid[], ${rows.map(({ owner }) => owner)}::text[],
      ${rows.map(({ productId }) => productId)}::text[],
      ${rows.map(({ status }) => status)}::text[],
      ${rows.map(({ changedAt }) => changedAt)}::timestamptz[]
    ) AS made (id, owner, product_id, status, changed_at)`;
}

async function readAll(
  filter: ChangedOrdersFilter,
  [since, until]: readonly [Date, Date],
  limit: number,
): Promise<{ found: string[]; largest: number }> {
  const found: string[] = [];
  let largest = 0;
  for (let from: OrderPosition | undefined, isFirst = true; isFirst || from; isFirst = false) {
    const page = await findChangedOrders(database, { filter, since, until, from, limit });
    found.push(...page.orders.map(({ id }) => id));
    largest = Math.max(largest, page.orders.length);
    from = page.next;
  }
  return { found, largest };
}

const rows = fc.array(
  fc.record({
    id: fc.uuid(),
    owner: fc.constantFrom('siti', 'budi', ''),
    productId: fc.constantFrom('kopi', 'teh'),
    status: fc.constantFrom('PENDING' as const, 'CONFIRMED'),
    // Several orders change in the same millisecond.
    changedAt: fc.nat(12).map(at),
  }),
  { maxLength: 60 },
);
const filters = fc.record(
  {
    visibility: fc.constantFrom('all' as const, { owner: 'siti' }, { owner: undefined }),
    productId: fc.constantFrom('kopi', 'tidak ada'),
    statuses: fc.constantFrom<OrderStatus[]>(['CONFIRMED', 'CANCELLED'], ['PENDING']),
  },
  { requiredKeys: ['visibility'] },
);

describe('findChangedOrders', () => {
  it('reads each matching order of a period once, in pages of any size', async () => {
    const property = fc.asyncProperty(
      rows,
      filters,
      fc.tuple(fc.nat(12), fc.nat(12)),
      fc.integer({ min: 1, max: 9 }),
      async (all, filter, [since, until], limit) => {
        await database.$executeRaw`TRUNCATE orders, reconciliations`;
        await insert(all);
        const { visibility, productId, statuses } = filter;
        const expected = all
          .filter(({ changedAt }) => changedAt >= at(since) && changedAt <= at(until))
          .filter((row) => isVisible(visibility, row))
          .filter((row) => productId === undefined || row.productId === productId)
          .filter((row) => statuses === undefined || statuses.includes(row.status))
          .sort((one, other) => +one.changedAt - +other.changedAt || (one.id < other.id ? -1 : 1));
        const { found } = await readAll(filter, [at(since), at(until)], limit);
        expect(found).toEqual(expected.map(({ id }) => id));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('continues over pages in which no order matches', async () => {
    const others = Array.from({ length: 50 }, (_, index) => index);
    const row = (ms: number, productId: string): Row => ({
      id: randomUUID(),
      owner: '',
      productId,
      status: 'PENDING',
      changedAt: at(ms),
    });
    const wanted = row(60, 'kopi');
    await insert([...others.map((ms) => row(ms, 'teh')), wanted]);
    const filter = { visibility: 'all', productId: 'kopi' } as const;
    const { found } = await readAll(filter, [at(0), at(100)], 2);
    expect(found).toEqual([wanted.id]);
  });
});

describe('findOrderVersions', () => {
  it('returns undefined instead of more than 10,000 versions', async () => {
    await database.$executeRaw`
      INSERT INTO orders (id, product_id, quantity, changed_at)
      SELECT gen_random_uuid(), 'kopi', 1, ${at(0)}::timestamptz + n * interval '1 millisecond'
      FROM generate_series(0, 10000) AS n`;
    const versions = (ms: number) => findOrderVersions(database, { visibility: 'all' }, at(ms));
    expect(await versions(0)).toBeUndefined();
    expect(await versions(1)).toHaveLength(10_000);
    const few = await findOrderVersions(
      database,
      { visibility: 'all', productId: 'teh' },
      at(9_000),
    );
    expect(few).toEqual([]);
  });
});
