import { expect, test } from 'vitest';
import type { OrderState } from './order-store.ts';
import { outcomeOf } from './own-orders.ts';

const order: OrderState = {
  id: 'a',
  productId: 'kopi',
  quantity: 5,
  status: 'REJECTED',
  rejectionReason: 'OUT_OF_STOCK',
  createdAt: 0,
};

test('too large an order: what was asked, what there is, what to do', () => {
  expect(outcomeOf(order, 'Kopi', 2)).toBe(
    'Rejected: not enough Kopi. You asked for 5, only 2 there. Nothing was taken; order fewer.',
  );
});

test('an unknown product is named', () => {
  const unknown = { ...order, rejectionReason: 'UNKNOWN_PRODUCT' } as const;
  expect(outcomeOf(unknown, 'kopy', undefined)).toContain('no product “kopy”');
});

test('pending and confirmed', () => {
  expect(outcomeOf({ ...order, status: 'PENDING' }, 'Kopi', 2)).toContain('Waiting');
  expect(outcomeOf({ ...order, status: 'CONFIRMED' }, 'Kopi', 2)).toBe(
    'Confirmed: 5 × Kopi. 2 left.',
  );
});
