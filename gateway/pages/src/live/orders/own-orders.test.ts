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
    expect(outcomeOf({ order }, 'Kopi', 2)).toBe(
      'Rejected: not enough Kopi. You ordered 5, the stock has 2. Nothing was taken; order fewer.',
    );
  });

  it('names an unknown product', () => {
    const unknown = { ...order, rejectionReason: 'UNKNOWN_PRODUCT' } as const;
    expect(outcomeOf({ order: unknown }, 'kopy', undefined)).toContain('no product “kopy”');
  });

  it('describes pending, confirmed and cancelled orders', () => {
    const outcome = (status: OrderState['status'], isLate = false): string =>
      outcomeOf({ order: { ...order, status }, isLate }, 'Kopi', 2);
    expect(outcome('CANCELLED')).toBe('Cancelled: 5 × Kopi.');
    expect(outcome('PENDING')).toContain('Waiting');
    expect(outcome('PENDING', true)).toContain('Accepted and stored: 5 × Kopi. The decision takes');
    expect(outcome('CONFIRMED')).toBe('Confirmed: 5 × Kopi. 2 left.');
  });
});
