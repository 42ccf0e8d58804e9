import type { OrderCreated } from '@gudang/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockRow } from '../stocks/lock-stocks.ts';
import { type Decision, type DecisionRows, decide, rejection } from './decide.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const stockOf = (id: string, quantity: number, deletedAt: Date | null = null): StockRow => ({
  id,
  name: id,
  quantity,
  version: 1,
  createdAt: now,
  updatedAt: now,
  deletedAt,
});
const byId = (...stocks: StockRow[]) => new Map(stocks.map((stock) => [stock.id, stock]));
const rowsOf = (...stocks: StockRow[]): DecisionRows => ({
  stocks: byId(...stocks),
  addedVersions: new Map(),
  earlier: new Map(),
  now,
});
const orderOf = (id: string, productId: string, quantity: number) => ({ id, productId, quantity });

describe('rejection', () => {
  it.each([
    ['more than the quantity', stockOf('a', 5), 6, 'OUT_OF_STOCK'],
    ['the whole quantity', stockOf('a', 5), 5, null],
    ['a stock without quantity', stockOf('a', 0), 1, 'OUT_OF_STOCK'],
    ['an unknown product', undefined, 1, 'UNKNOWN_PRODUCT'],
    ['a deleted stock', stockOf('a', 0, now), 1, 'UNKNOWN_PRODUCT'],
  ] as const)('of an order for %s', (_name, stock, quantity, reason) => {
    expect(rejection(stock, quantity)).toBe(reason);
  });
});

describe('decide', () => {
  it('decides orders in the sequence of their arrival, and confirms each for its whole quantity or rejects it', () => {
    const orders = [orderOf('1', 'a', 6), orderOf('2', 'a', 5), orderOf('3', 'a', 4)];
    const { decided, changes } = decide(orders, rowsOf(stockOf('a', 10)));
    expect(decided.map(({ status, quantityAfter }) => [status, quantityAfter])).toEqual([
      ['CONFIRMED', 4],
      ['REJECTED', 4],
      ['CONFIRMED', 0],
    ]);
    expect(changes.map(({ stock, delta }) => [stock.version, stock.quantity, delta])).toEqual([
      [2, 4, -6],
      [3, 0, -4],
    ]);
  });

  it('announces the decision again for a duplicate order and does not change the stock', () => {
    const orders = [orderOf('1', 'a', 6), orderOf('1', 'a', 6)];
    const outcome = decide(orders, rowsOf(stockOf('a', 10)));
    expect(outcome.decided).toHaveLength(1);
    expect(outcome.announced).toHaveLength(2);
    expect(outcome.changes).toHaveLength(1);
  });

  it.each([
    ['product', orderOf('1', 'b', 6), 'this order id was decided for another product'],
    ['quantity', orderOf('1', 'a', 7), 'this order id was decided for another quantity'],
  ])('does not apply an order with a decided id and a different %s', (_name, order, reason) => {
    const orders = [orderOf('1', 'a', 6), order];
    const outcome = decide(orders, rowsOf(stockOf('a', 100), stockOf('b', 100)));
    expect(outcome.contradictions).toEqual([{ request: order, reason }]);
    expect(outcome.changes).toHaveLength(1);
  });
});

/** The part of stock_db's state on which decisions depend. */
interface World {
  stocks: Map<string, StockRow>;
  decisions: Map<string, Decision>;
}

/** Applies a batch as the consumer does: stores decisions and changed stocks. */
function apply(world: World, orders: readonly OrderCreated[]): void {
  const { decided, changes } = decide(orders, {
    ...rowsOf(),
    stocks: world.stocks,
    earlier: world.decisions,
  });
  for (const { stock } of changes) world.stocks.set(stock.id, { ...stock, deletedAt: null });
  for (const decision of decided) world.decisions.set(decision.orderId, decision);
}

const products = ['a', 'b', 'c', 'gone'];
const worldOf = (quantities: readonly number[]): World => ({
  stocks: byId(...quantities.map((quantity, index) => stockOf(products[index] ?? '', quantity))),
  decisions: new Map(),
});
const quantities = fc.array(fc.nat(50), { minLength: 3, maxLength: 3 });
const someOrders = fc
  .array(
    fc.record({
      productId: fc.constantFrom(...products),
      quantity: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 60 },
  )
  .map((orders) => orders.map((order, index) => ({ ...order, id: String(index) })));

describe('decide with random orders', () => {
  it('makes the same decisions as a model that decides one order at a time', () => {
    fc.assert(
      fc.property(quantities, someOrders, (held, orders) => {
        const left = new Map(held.map((quantity, index) => [products[index], quantity]));
        const expected = orders.map(({ productId, quantity }) => {
          const rest = left.get(productId);
          if (rest === undefined) return 'UNKNOWN_PRODUCT';
          if (rest < quantity) return 'OUT_OF_STOCK';
          left.set(productId, rest - quantity);
          return null;
        });
        const world = worldOf(held);
        apply(world, orders);
        expect(orders.map(({ id }) => world.decisions.get(id)?.reason)).toEqual(expected);
        for (const { id, quantity } of world.stocks.values()) expect(quantity).toBe(left.get(id));
      }),
    );
  });

  it('makes the same decisions for any division into batches, even with duplicates and replays', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 60 });
    const replays = fc.array(fc.nat(59), { maxLength: 20 });
    fc.assert(
      fc.property(quantities, someOrders, cuts, replays, (held, orders, sizes, replayed) => {
        const once = worldOf(held);
        apply(once, orders);

        const again = worldOf(held);
        let start = 0;
        for (let step = 0; start < orders.length; step += 1) {
          const end = start + (sizes[step % sizes.length] ?? 1);
          // If a consumer ended before it committed its offset, its successor reads some records again.
          const from = Math.max(0, start - (replayed[step % (replayed.length || 1)] ?? 0));
          apply(again, orders.slice(from, end));
          start = end;
        }
        apply(again, orders);
        expect(again).toEqual(once);
      }),
    );
  });

  it('never makes a quantity negative and subtracts exactly the confirmed quantities', () => {
    fc.assert(
      fc.property(quantities, someOrders, (held, orders) => {
        const world = worldOf(held);
        apply(world, orders);
        for (const [index, initial] of held.entries()) {
          const id = products[index] ?? '';
          const taken = [...world.decisions.values()]
            .filter(({ productId, status }) => productId === id && status === 'CONFIRMED')
            .reduce((sum, { quantity }) => sum + quantity, 0);
          const stock = world.stocks.get(id);
          expect(stock?.quantity).toBe(initial - taken);
          expect(stock?.quantity).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
