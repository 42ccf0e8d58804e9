import { expect, it } from 'vitest';
import { createUnattributedOrders } from './unattributed-orders.ts';

const order = (id: string) =>
  ({
    id,
    productId: 'kopi',
    quantity: 1,
    status: 'CONFIRMED',
    rejectionReason: null,
    createdAt: 0,
    version: 0,
    isCancelling: false,
  }) as const;

it('returns an order once', () => {
  const orders = createUnattributedOrders();
  orders.add(order('a'));
  expect(orders.take('a')).toEqual(order('a'));
  expect(orders.take('a')).toBeUndefined();
});

it('keeps the newest 100', () => {
  const orders = createUnattributedOrders();
  for (let n = 0; n < 101; n += 1) orders.add(order(String(n)));
  expect(orders.take('0')).toBeUndefined();
  expect(orders.take('1')).toBeDefined();
  expect(orders.take('100')).toBeDefined();
});
