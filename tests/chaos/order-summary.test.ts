import { expect, it } from 'vitest';
import { REJECTED, validHistory } from './history-fixture.ts';
import { summarizeOrders } from './order-summary.ts';

it('counts confirmed and rejected orders', () => {
  const history = validHistory();
  expect(summarizeOrders(history, history.observed.acknowledged)).toEqual({
    acknowledged: 3,
    confirmed: 1,
    rejected: 1,
    cancelled: 1,
    lost: 0,
    doubled: 0,
    returnedTwice: 0,
    oversold: 0,
    worstLatency: 1,
  });
});

it('counts a missing or PENDING order as lost', () => {
  const { orders, ...history } = validHistory();
  const pending = orders.map((order) => ({ ...order, status: 'PENDING' }));
  expect(summarizeOrders({ ...history, orders: [] }, history.observed.acknowledged).lost).toBe(3);
  expect(summarizeOrders({ ...history, orders: pending }, history.observed.acknowledged).lost).toBe(
    3,
  );
});

it('counts orders that took stock twice, and idempotency keys with two orders, as doubled', () => {
  const history = validHistory();
  const [, taken] = history.movements;
  const movements = [...history.movements, ...(taken ? [taken] : [])];
  expect(summarizeOrders({ ...history, movements }, history.observed.acknowledged).doubled).toBe(1);
  const oneKey = history.observed.acknowledged.map((order) => ({ ...order, idempotencyKey: 'k' }));
  expect(summarizeOrders(history, oneKey).doubled).toBe(1);
});

it('counts orders that returned stock twice', () => {
  const history = validHistory();
  const movements = [...history.movements, ...history.movements.slice(-1)];
  const summary = summarizeOrders({ ...history, movements }, history.observed.acknowledged);
  expect(summary).toMatchObject({ doubled: 0, returnedTwice: 1 });
});

it('counts units confirmed beyond the available quantity as oversold', () => {
  const history = validHistory();
  const decisions = history.decisions.map((decision) => ({
    ...decision,
    status: decision.orderId === REJECTED ? 'CONFIRMED' : decision.status,
  }));
  // 10 + 3 units were available; 4 + 90 were confirmed.
  expect(summarizeOrders({ ...history, decisions }, history.observed.acknowledged).oversold).toBe(
    81,
  );
  expect(summarizeOrders({ ...history, decisions }, []).oversold).toBe(0);
});
