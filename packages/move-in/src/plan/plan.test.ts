import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord } from '../legacy/decode-record.ts';
import type { LegacyRecord } from '../legacy/legacy-topic.ts';
import { comparePlan, type Present, type PresentStock } from './compare.ts';
import { type LegacySystem, type Plan, planMove } from './plan.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const TIME = '2024-05-01T10:00:00.123456789+07:00';
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const [ID, OTHER] = [idOf(1), idOf(2)];

const recordOf = (
  value: unknown,
  { offset = 0, isConsumed = true, timestamp = 1_714_532_400_000 } = {},
): LegacyRecord => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const place = { topic: 'order_created', partition: 0, offset: String(offset) };
  const record = { ...place, timestamp: String(timestamp), key: null, headers: {} };
  return { ...decodeRecord({ ...record, value: Buffer.from(text) }), isConsumed };
};
const order = (id: string, product_id = 'kopi', quantity = 2) => ({
  ...{ id, product_id, quantity, TimeStamp: TIME },
});
const rowOf = (id: string, productId = 'kopi', quantity = '2') => ({
  ...{ id, productId, quantity, createdAt: null },
});
const stockOf = (id: string, quantity = '10', name: string | null = 'Kopi') => ({
  ...{ id, name, quantity },
});
const systemOf = (parts: {
  stocks?: LegacySystem['stocks'];
  orders?: LegacySystem['orders'];
  records?: readonly LegacyRecord[];
}): LegacySystem => ({
  stocks: parts.stocks ?? [stockOf('kopi')],
  orders: parts.orders ?? [],
  topic: { records: parts.records ?? [], isTruncated: false, uncommitted: [] },
});
const plan = (parts: Parameters<typeof systemOf>[0], unsent?: 'pending' | 'confirmed') =>
  planMove(systemOf(parts), unsent, now);
const kinds = ({ problems }: Plan) => problems.map(({ kind }) => kind);

describe('planMove', () => {
  it('makes a consumed record a decision, and its order CONFIRMED since the time in the record', () => {
    const { decisions, orders, problems } = plan({
      orders: [rowOf(ID)],
      records: [recordOf(order(ID))],
    });
    const at = new Date('2024-05-01T03:00:00.123Z');
    expect(decisions).toEqual([{ orderId: ID, productId: 'kopi', quantity: 2, decidedAt: at }]);
    expect(orders).toMatchObject([{ id: ID, status: 'CONFIRMED', createdAt: at, isUnsent: false }]);
    expect(problems).toEqual([]);
  });

  it('makes a consumed record without a row a decision', () => {
    const { decisions, orders } = plan({ records: [recordOf(order(ID))] });
    expect([decisions.length, orders.length]).toEqual([1, 0]);
  });

  it('leaves an order PENDING whose record is not consumed', () => {
    const records = [recordOf(order(ID), { isConsumed: false })];
    const { decisions, orders } = plan({ orders: [rowOf(ID)], records });
    expect(decisions).toEqual([]);
    expect(orders).toMatchObject([{ id: ID, status: 'PENDING', isUnsent: false }]);
  });

  it.each([
    [undefined, [], 0],
    ['pending', [{ status: 'PENDING', isUnsent: true, createdAt: now }], 0],
    ['confirmed', [{ status: 'CONFIRMED', isUnsent: true }], 1],
  ] as const)(
    'handles an order without a record as --unsent %s says',
    (unsent, orders, decided) => {
      const found = plan({ orders: [rowOf(ID)] }, unsent);
      expect(found.orders).toMatchObject(orders);
      expect(found.decisions).toHaveLength(decided);
      expect([found.unsentCount, kinds(found)]).toEqual([1, ['no record']]);
    },
  );

  it.each([
    [
      'a negative quantity',
      stockOf('a', '-5'),
      { quantity: 0, reason: 'moved in; the quantity was -5' },
    ],
    ['no quantity', stockOf('a', null as never), { quantity: 0 }],
    ['a quantity above the maximum', stockOf('a', '9000000000'), { quantity: 2_147_483_647 }],
    ['a fraction', stockOf('a', '1.5'), { quantity: 1 }],
    ['no name', stockOf('a', '1', null), { name: 'a', quantity: 1, reason: 'moved in' }],
    ['a long name', stockOf('a', '1', '☕'.repeat(300)), { name: '☕'.repeat(255) }],
  ])(
    'moves a stock with %s with the nearest allowed value, and reports it',
    (_name, row, stock) => {
      const found = plan({ stocks: [row] });
      expect(found.stocks).toMatchObject([stock]);
      expect(found.problems).toHaveLength(1);
    },
  );

  it.each([
    ['an id that is no UUID', rowOf('17'), 'bad id'],
    ['the quantity 0', rowOf(ID, 'kopi', '0'), 'bad quantity'],
    ['a quantity above the maximum', rowOf(ID, 'kopi', '1000001'), 'bad quantity'],
    ['no product', rowOf(ID, ''), 'bad product'],
  ])('reports an order with %s and does not move it', (_name, row, kind) => {
    const found = plan({ orders: [row] }, 'confirmed');
    expect([found.orders, kinds(found)]).toEqual([[], [kind]]);
  });

  it('reports an order for an unknown product and moves it', () => {
    const found = plan({ orders: [rowOf(ID, 'teh')], records: [recordOf(order(ID, 'teh'))] });
    expect(kinds(found)).toEqual(['unknown product']);
    expect(found.orders).toMatchObject([{ productId: 'teh', status: 'CONFIRMED' }]);
  });

  it('moves an order as the legacy stock service consumed it if its row differs', () => {
    const found = plan({
      orders: [rowOf(ID.toUpperCase())],
      records: [recordOf(order(ID, 'kopi', 3))],
    });
    expect(found.orders).toMatchObject([{ id: ID, quantity: 3 }]);
    expect(kinds(found)).toEqual(['record differs']);
  });

  it('reports records that the legacy stock service subtracted again, and that are no orders', () => {
    const records = [
      recordOf(order(ID), { offset: 3, isConsumed: false }),
      recordOf('no JSON', { offset: 2 }),
      recordOf(order(ID), { offset: 1 }),
      recordOf(order(ID, 'kopi', 3), { offset: 4 }),
      recordOf(order(ID), { offset: 0 }),
    ];
    const found = plan({ orders: [rowOf(ID)], records });
    expect(found.decisions).toMatchObject([{ quantity: 2 }]);
    expect(found.problems.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['repeated record', 'record 0/1'],
      ['bad record', 'record 0/2'],
      ['record differs', 'record 0/4'],
    ]);
  });
});

/** Returns what the new system has after a move into empty databases. */
function presentAfter({ stocks, decisions, orders }: Plan): Present {
  const stock = (one: Plan['stocks'][number]): PresentStock => ({
    ...one,
    ...{ version: 1, createdAt: now, isDeleted: false },
    moved: { version: 1, quantity: one.quantity },
  });
  return {
    stocks: new Map(stocks.map((one) => [one.id, stock(one)])),
    decisions: new Map(
      decisions.map((one) => [one.orderId, { ...one, status: 'CONFIRMED', hasEntry: false }]),
    ),
    orders: new Map(orders.map((one) => [one.id, one])),
  };
}

describe('comparePlan', () => {
  const moved = plan({ orders: [rowOf(ID)], records: [recordOf(order(ID))] });
  const present = presentAfter(moved);
  const NONE = { stocks: [], movedAgain: [], decisions: [], orders: [], contradictions: [] };

  it('finds nothing to write after a move, and everything before it', () => {
    expect(comparePlan(moved, present)).toEqual(NONE);
    const empty = { stocks: new Map(), decisions: new Map(), orders: new Map() };
    const { stocks, decisions, orders } = moved;
    expect(comparePlan(moved, empty)).toEqual({ ...NONE, stocks, decisions, orders });
  });

  it('moves a stock again whose quantity has changed only in the legacy system', () => {
    const later = plan({ stocks: [stockOf('kopi', '7')] });
    const { movedAgain, contradictions } = comparePlan(later, present);
    expect(movedAgain).toMatchObject([{ id: 'kopi', quantity: 7, delta: -3, version: 1 }]);
    expect(contradictions).toEqual([]);
  });

  const changed = (part: keyof Present, id: string, change: object): Present => ({
    ...present,
    [part]: new Map([[id, { ...present[part].get(id), ...change }]]),
  });
  it.each<[string, Plan, Present, RegExp]>([
    [
      'a stock that was not moved',
      moved,
      changed('stocks', 'kopi', { moved: null }),
      /was not moved/,
    ],
    ['a deleted stock', moved, changed('stocks', 'kopi', { isDeleted: true }), /deleted here/],
    [
      'a stock that both systems have changed',
      plan({ stocks: [stockOf('kopi', '7')] }),
      changed('stocks', 'kopi', { version: 2 }),
      /with the quantity 10 and has changed here since, but the legacy system has 7 now/,
    ],
    ['a rejected order', moved, changed('decisions', ID, { status: 'REJECTED' }), /REJECTED here/],
    [
      'an order that both services subtracted',
      moved,
      changed('decisions', ID, { hasEntry: true }),
      /by both/,
    ],
    [
      'a decision about another quantity',
      moved,
      changed('decisions', ID, { quantity: 9 }),
      /9 of kopi here/,
    ],
    [
      'an order with another product',
      moved,
      changed('orders', ID, { productId: 'x' }),
      /2 of x here/,
    ],
    [
      'an order that is REJECTED',
      moved,
      changed('orders', ID, { status: 'REJECTED' }),
      /is REJECTED here/,
    ],
  ])('finds a contradiction for %s', (_name, given, found, message) => {
    expect(comparePlan(given, found).contradictions).toEqual([expect.stringMatching(message)]);
  });

  it('sends an order again that the new stock service decided before the order was moved', () => {
    const records = [recordOf(order(ID), { isConsumed: false })];
    const later = plan({ orders: [rowOf(ID)], records });
    const { decisions } = present;
    const { orders } = comparePlan(later, { ...present, decisions, orders: new Map() });
    expect(orders).toMatchObject([{ id: ID, status: 'PENDING', isUnsent: true }]);
  });

  it('keeps an order that was cancelled here after the move', () => {
    const cancelled = changed('decisions', ID, { status: 'CANCELLED' });
    expect(comparePlan(moved, cancelled)).toEqual(NONE);
  });

  it('finds nothing to write after a move of any legacy system', () => {
    const some = fc.record({
      id: fc.constantFrom(ID, OTHER, 'x'),
      product: fc.constantFrom('kopi', 'teh', ''),
      quantity: fc.integer({ min: -1, max: 2 }),
    });
    const record = fc.record({ order: some, isConsumed: fc.boolean(), timestamp: fc.nat(9) });
    const system = fc.record({
      stocks: fc.uniqueArray(
        fc.record({
          id: fc.constantFrom('kopi', 'teh'),
          name: fc.constant('K'),
          quantity: fc.integer().map(String),
        }),
        { selector: ({ id }) => id },
      ),
      orders: fc.uniqueArray(
        some.map(({ id, product, quantity }) => rowOf(id, product, String(quantity))),
        { selector: ({ id }) => id },
      ),
      records: fc
        .array(record)
        .map((records) =>
          records.map(({ order: { id, product, quantity }, ...rest }, offset) =>
            recordOf(order(id, product, quantity), { offset, ...rest }),
          ),
        ),
    });
    fc.assert(
      fc.property(system, fc.constantFrom('pending', 'confirmed'), (parts, unsent) => {
        const first = plan(parts, unsent);
        const decided = new Set(first.decisions.map(({ orderId }) => orderId));
        for (const one of first.orders)
          expect(one.status === 'CONFIRMED').toBe(decided.has(one.id));
        expect(comparePlan(plan(parts, unsent), presentAfter(first))).toEqual(NONE);
      }),
      { seed: 18 },
    );
  });
});
