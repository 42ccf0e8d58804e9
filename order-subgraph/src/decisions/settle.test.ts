import type { OrderDecided, OrderState } from '@gudang/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from './settle.ts';

type Known = Pick<OrderState, 'productId' | 'status' | 'rejectionReason'>;
const pending: Known = { productId: 'a', status: 'PENDING', rejectionReason: null };
const confirmed: OrderDecided = {
  orderId: '1',
  productId: 'a',
  status: 'CONFIRMED',
  reason: null,
  quantityAfter: 5,
  decidedAt: new Date(0),
  cancelledAt: null,
  cancelRefusal: null,
};
const rejected: OrderDecided = { ...confirmed, status: 'REJECTED', reason: 'OUT_OF_STOCK' };

describe('settle', () => {
  it('applies a decision once and counts the second delivery as a duplicate', () => {
    const outcome = settle(new Map([['1', pending]]), [confirmed, confirmed]);
    expect(outcome).toMatchObject({ settled: [confirmed], repeats: [confirmed] });
  });

  it('does not apply a decision about an order that is not in order_db', () => {
    expect(settle(new Map(), [confirmed])).toMatchObject({ settled: [], foreign: [confirmed] });
  });

  it.each([
    [
      'that contradicts a final status',
      { ...pending, status: 'CONFIRMED' },
      rejected,
      'already CONFIRMED',
    ],
    ['for another product', pending, { ...confirmed, productId: 'b' }, 'another product'],
    [
      'with another reason than the applied decision',
      { ...pending, status: 'REJECTED', rejectionReason: 'UNKNOWN_PRODUCT' },
      rejected,
      'already REJECTED',
    ],
  ] as const)('never applies a decision %s', (_name, order, decision, reason) => {
    const { settled, contradictions } = settle(new Map([['1', order]]), [decision]);
    expect(settled).toEqual([]);
    expect(contradictions).toEqual([{ decision, reason: expect.stringContaining(reason) }]);
  });

  it('gives each order at most one final status, for any sequence of decisions with any duplicates', () => {
    const ids = ['1', '2', '3'];
    const decisions = fc.array(
      fc.record({
        orderId: fc.constantFrom(...ids, 'foreign'),
        decision: fc.constantFrom(confirmed, rejected),
      }),
    );
    fc.assert(
      fc.property(decisions, fc.nat(20), (given, cut) => {
        const orders = new Map(ids.map((id) => [id, pending]));
        const all = given.map(({ orderId, decision }) => ({ ...decision, orderId }));
        const first = new Map<string, string>();
        for (const { orderId, status } of all) {
          if (orders.has(orderId) && !first.has(orderId)) first.set(orderId, status);
        }
        const statuses = new Map<string, string>();
        for (const batch of [all.slice(0, cut), all.slice(cut), all]) {
          for (const { orderId, status, reason } of settle(orders, batch).settled) {
            expect(statuses.has(orderId)).toBe(false);
            statuses.set(orderId, status);
            orders.set(orderId, { ...pending, status, rejectionReason: reason });
          }
        }
        expect(statuses).toEqual(first);
      }),
    );
  });
});
