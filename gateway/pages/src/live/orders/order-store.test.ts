import { expect, test } from 'vitest';
import { createOrderStore, type OrderState, SHOWN_ORDERS } from './order-store.ts';

const order = (id: string, createdAt: number, changes: Partial<OrderState> = {}): OrderState => ({
  id,
  productId: 'kopi',
  quantity: 1,
  status: 'PENDING',
  rejectionReason: null,
  createdAt,
  version: 1,
  isCancelling: false,
  ...changes,
});

test('lists the newest orders first, up to the limit', () => {
  const store = createOrderStore();
  store.apply(Array.from({ length: 100 }, (_, index) => order(`o${index}`, index)));
  store.publish();
  const shown = store.newest.get();
  expect(shown).toHaveLength(SHOWN_ORDERS);
  expect(shown[0]?.id).toBe('o99');
});

test('does not set a decided order to pending again', () => {
  const store = createOrderStore();
  store.apply([order('a', 1, { status: 'CONFIRMED' })]);
  store.apply([order('a', 1)]);
  store.publish();
  expect(store.newest.get()[0]?.status).toBe('CONFIRMED');
});

test('shows a cancellation, also of an order that a stock change has shown as confirmed', () => {
  const store = createOrderStore();
  const shown = () => {
    store.publish();
    const { status, isCancelling } = store.newest.get()[0] ?? {};
    return [status, isCancelling];
  };
  store.apply([order('a', 1, { version: 1 })]);
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 0 })]);
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 3, isCancelling: true })]);
  expect(shown()).toEqual(['CONFIRMED', true]);
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 2 })]);
  expect(shown()).toEqual(['CONFIRMED', true]);
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 4 })]);
  expect(shown()).toEqual(['CONFIRMED', false]);
  store.apply([order('a', 1, { status: 'CANCELLED', version: 0 })]);
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 5, isCancelling: true })]);
  expect(shown()).toEqual(['CANCELLED', false]);
});

test('keeps an order of this page, marked as own, until it is decided', () => {
  const store = createOrderStore();
  store.apply([order('mine', 0)], true);
  store.apply(Array.from({ length: 100 }, (_, index) => order(`o${index}`, 10 + index)));
  store.publish();
  expect(store.get('mine')?.isOwn).toBe(true);
  store.apply([order('mine', 0, { status: 'REJECTED' })]);
  expect(store.get('mine')).toMatchObject({ isOwn: true, status: 'REJECTED' });
});

test('keeps the list when nothing changed', () => {
  const store = createOrderStore();
  store.apply([order('a', 1)]);
  store.publish();
  const before = store.newest.get();
  store.apply([order('a', 1)]);
  store.publish();
  expect(store.newest.get()).toBe(before);
});

test('accepts earlier states after the database was restored, and still knows its own orders', () => {
  const store = createOrderStore();
  store.apply([order('a', 1, { status: 'CONFIRMED', version: 2 })], true);
  store.apply([order('b', 2, { status: 'CONFIRMED', version: 2 })]);
  store.publish();
  store.forget();
  store.publish();
  expect(store.newest.get()).toHaveLength(2);
  store.apply([order('a', 1)]);
  store.publish();
  expect(store.newest.get()).toMatchObject([{ id: 'a', status: 'PENDING', isOwn: true }]);
});
