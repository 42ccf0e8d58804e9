import type { OrderDecided } from '@gudang/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecidedOrder, settle } from './settle.ts';

const pending: DecidedOrder = {
  productId: 'a',
  status: 'PENDING',
  rejectionReason: null,
  cancelRequestedAt: null,
};
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
const unknown: OrderDecided = { ...confirmed, status: 'REJECTED', reason: 'UNKNOWN_PRODUCT' };
const cancelled: OrderDecided = { ...confirmed, status: 'CANCELLED', cancelledAt: new Date(9) };
const refused = (requestedAt: number): OrderDecided => ({
  ...confirmed,
  cancelRefusal: { at: new Date(9), requestedAt: new Date(requestedAt) },
});

/** Applies rounds to rows, as the UPDATE statement does. Returns the statuses that each order had. */
function write(orders: Map<string, DecidedOrder>, rounds: ReturnType<typeof settle>['rounds']) {
  const changes: string[] = [];
  for (const round of rounds) {
    expect(new Set(round.map(({ decision }) => decision.orderId)).size).toBe(round.length);
    for (const { decision, previousStatus, refusesCancel } of round) {
      const order = orders.get(decision.orderId);
      if (order?.status !== previousStatus) continue;
      orders.set(decision.orderId, {
        productId: order.productId,
        status: decision.status,
        rejectionReason: decision.reason,
        cancelRequestedAt: refusesCancel ? null : order.cancelRequestedAt,
      });
      const what = refusesCancel ? 'CANCEL_REFUSED' : decision.status;
      changes.push(`${decision.orderId} ${what}`);
    }
  }
  return changes;
}

describe('settle', () => {
  it('applies a decision once and counts the second delivery as a duplicate', () => {
    const outcome = settle(new Map([['1', pending]]), [confirmed, confirmed]);
    expect(outcome).toMatchObject({ settled: [confirmed], repeats: [confirmed] });
  });

  it('does not apply a decision about an order that is not in order_db', () => {
    expect(settle(new Map(), [confirmed])).toMatchObject({ settled: [], foreign: [confirmed] });
  });

  it('applies a confirmation and a cancellation of one order as two changes', () => {
    const orders = new Map([['1', pending]]);
    const { rounds, settled } = settle(orders, [confirmed, cancelled, confirmed]);
    expect(settled).toEqual([confirmed, cancelled]);
    expect(write(orders, rounds)).toEqual(['1 CONFIRMED', '1 CANCELLED']);
  });

  it.each([
    ['clears the refused request', 5, 5, ['1 CANCEL_REFUSED'], null],
    ['keeps a newer request', 6, 5, [], 6],
  ] as const)('%s', (_what, requestedAt, refusedRequest, changes, left) => {
    const order = { ...pending, status: 'CONFIRMED', cancelRequestedAt: new Date(requestedAt) };
    const orders = new Map([['1', order as DecidedOrder]]);
    const { rounds } = settle(orders, [refused(refusedRequest)]);
    expect(write(orders, rounds)).toEqual(changes);
    expect(orders.get('1')?.cancelRequestedAt?.getTime() ?? null).toBe(left);
  });

  it('confirms a pending order before it clears the refused request', () => {
    const orders = new Map([['1', { ...pending, cancelRequestedAt: new Date(5) }]]);
    const { rounds, settled } = settle(orders, [refused(5)]);
    expect(settled).toHaveLength(1);
    expect(write(orders, rounds)).toEqual(['1 CONFIRMED', '1 CANCEL_REFUSED']);
  });

  it.each([
    ['that rejects a confirmed order', 'CONFIRMED', null, rejected],
    ['that rejects a cancelled order', 'CANCELLED', null, rejected],
    ['that confirms a rejected order', 'REJECTED', 'OUT_OF_STOCK', confirmed],
    ['that cancels a rejected order', 'REJECTED', 'OUT_OF_STOCK', cancelled],
    ['with another reason than the applied one', 'REJECTED', 'UNKNOWN_PRODUCT', rejected],
    ['for another product', 'PENDING', null, { ...confirmed, productId: 'b' }],
  ] as const)('never applies a decision %s', (_name, status, rejectionReason, decision) => {
    const order = { ...pending, status, rejectionReason };
    const { settled, contradictions } = settle(new Map([['1', order]]), [decision]);
    expect(settled).toEqual([]);
    const reason = status === 'PENDING' ? 'another product' : `already ${status}`;
    expect(contradictions).toEqual([{ decision, reason: expect.stringContaining(reason) }]);
  });

  it('follows the table of status moves for any decisions, duplicates and batches', () => {
    const moves: Readonly<Record<string, string>> = {
      'PENDING CONFIRMED': 'CONFIRMED',
      'PENDING OUT_OF_STOCK': 'OUT_OF_STOCK',
      'PENDING UNKNOWN_PRODUCT': 'UNKNOWN_PRODUCT',
      'PENDING CANCELLED': 'CANCELLED',
      'CONFIRMED CONFIRMED': 'repeat',
      'CONFIRMED CANCELLED': 'CANCELLED',
      'CANCELLED CONFIRMED': 'repeat',
      'CANCELLED CANCELLED': 'repeat',
      'OUT_OF_STOCK OUT_OF_STOCK': 'repeat',
      'UNKNOWN_PRODUCT UNKNOWN_PRODUCT': 'repeat',
    };
    const ids = ['1', '2', '3'];
    const decision = fc.constantFrom(confirmed, rejected, unknown, cancelled, refused(5));
    const decisions = fc.array(
      fc.record({ orderId: fc.constantFrom(...ids, 'foreign'), decision }),
      { maxLength: 30 },
    );
    const requests = fc.tuple(...ids.map(() => fc.constantFrom(null, 5, 6)));
    fc.assert(
      fc.property(decisions, requests, fc.nat(20), (given, requested, cut) => {
        const all = given.map(({ orderId, decision }) => ({ ...decision, orderId }));
        const request = (index: number): Date | null => {
          const at = requested[index];
          return typeof at === 'number' ? new Date(at) : null;
        };
        const orders = new Map(
          ids.map((id, index) => [id, { ...pending, cancelRequestedAt: request(index) }] as const),
        ) as Map<string, DecidedOrder>;

        const states = new Map(ids.map((id) => [id, 'PENDING']));
        const open = new Map(ids.map((id, index) => [id, requested[index]]));
        const expected = { changes: [] as string[], settled: 0, repeats: 0, contradictions: 0 };
        for (const { orderId, status, reason, cancelRefusal } of all) {
          const state = states.get(orderId);
          if (state === undefined) continue;
          const move = moves[`${state} ${reason ?? status}`];
          const changes = expected.changes.length;
          if (move === undefined) expected.contradictions += 1;
          else if (move !== 'repeat') {
            states.set(orderId, move);
            expected.changes.push(`${orderId} ${status}`);
          }
          if (cancelRefusal && states.get(orderId) === 'CONFIRMED' && open.get(orderId) === 5) {
            open.set(orderId, null);
            expected.changes.push(`${orderId} CANCEL_REFUSED`);
          }
          if (expected.changes.length > changes) expected.settled += 1;
          else if (move !== undefined) expected.repeats += 1;
        }

        const got = { changes: [] as string[], settled: 0, repeats: 0, contradictions: 0 };
        for (const batch of [all.slice(0, cut), all.slice(cut)]) {
          const outcome = settle(orders, batch);
          got.changes.push(...write(orders, outcome.rounds));
          got.settled += outcome.settled.length;
          got.repeats += outcome.repeats.length;
          got.contradictions += outcome.contradictions.length;
        }
        for (const id of ids) {
          const ofOrder = (changes: readonly string[]) =>
            changes.filter((change) => change.startsWith(`${id} `));
          expect(ofOrder(got.changes)).toEqual(ofOrder(expected.changes));
          const { status, rejectionReason, cancelRequestedAt } = orders.get(id) ?? pending;
          expect(rejectionReason ?? status).toBe(states.get(id));
          expect(cancelRequestedAt?.getTime() ?? null).toBe(open.get(id));
        }
        expect({ ...got, changes: 0 }).toEqual({ ...expected, changes: 0 });
      }),
      { seed: 18, numRuns: 500 },
    );
  });
});
