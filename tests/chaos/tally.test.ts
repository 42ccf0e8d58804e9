import { expect, it } from 'vitest';
import { CONFIRMED, REJECTED, soundHistory } from './sound-history.ts';
import { tally } from './tally.ts';

it('counts what became of the orders', () => {
  const history = soundHistory();
  expect(tally(history, history.told.acknowledged)).toEqual({
    acknowledged: 2,
    confirmed: 1,
    rejected: 1,
    lost: 0,
    doubled: 0,
    oversold: 0,
    worstLatency: 1,
  });
});

it('counts an order that is gone or PENDING as lost', () => {
  const { orders, ...history } = soundHistory();
  const pending = orders.map((order) => ({ ...order, status: 'PENDING' }));
  expect(tally({ ...history, orders: [] }, history.told.acknowledged).lost).toBe(2);
  expect(tally({ ...history, orders: pending }, history.told.acknowledged).lost).toBe(2);
});

it('counts an order as doubled that took stock twice, or that is two of one key', () => {
  const history = soundHistory();
  const [, taken] = history.movements;
  const movements = [...history.movements, ...(taken ? [taken] : [])];
  expect(tally({ ...history, movements }, history.told.acknowledged).doubled).toBe(1);
  const oneKey = history.told.acknowledged.map((order) => ({ ...order, idempotencyKey: 'k' }));
  expect(tally(history, oneKey).doubled).toBe(1);
});

it('counts units that were confirmed and were not there', () => {
  const history = soundHistory();
  const decisions = history.decisions.map((decision) => ({
    ...decision,
    status: decision.orderId === REJECTED ? 'CONFIRMED' : decision.status,
  }));
  // 10 and 3 more were there; 4 and 90 were confirmed.
  expect(tally({ ...history, decisions }, history.told.acknowledged).oversold).toBe(81);
  const others = history.told.acknowledged.filter(({ id }) => id !== CONFIRMED && id !== REJECTED);
  expect(tally({ ...history, decisions }, others).oversold).toBe(0);
});
