import { describe, expect, it } from 'vitest';
import type { OrderState } from './order-store.ts';
import { outcomeOf } from './own-orders.ts';

const order: OrderState = {
  id: 'a',
  productId: 'kopi',
  quantity: 5,
  status: 'REJECTED',
  rejectionReason: 'OUT_OF_STOCK',
  createdAt: 0,
  version: 1,
  isCancelling: false,
};

describe('outcomeOf', () => {
  it('names the ordered quantity and the quantity in stock', () => {
    expect(outcomeOf(order, 'Kopi', 2)).toBe(
      'Rejected: not enough Kopi. You ordered 5, the stock has 2. Nothing was taken; order fewer.',
    );
  });

  it('names an unknown product', () => {
    const unknown = { ...order, rejectionReason: 'UNKNOWN_PRODUCT' } as const;
    expect(outcomeOf(unknown, 'kopy', undefined)).toContain('no product “kopy”');
  });

  it('describes pending, confirmed and cancelled orders', () => {
    expect(outcomeOf({ ...order, status: 'CANCELLED' }, 'Kopi', 2)).toBe('Cancelled: 5 × Kopi.');
    expect(outcomeOf({ ...order, status: 'PENDING' }, 'Kopi', 2)).toContain('Waiting');
    expect(outcomeOf({ ...order, status: 'CONFIRMED' }, 'Kopi', 2)).toBe(
      'Confirmed: 5 × Kopi. 2 left.',
    );
  });
});
