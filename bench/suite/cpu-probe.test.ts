import { expect, it } from 'vitest';
import { cpuSpent, withTotals, workOf } from './cpu-probe.ts';

it.each([
  ['postgres: postgres order_db 127.0.0.1(53412) INSERT', 'postgres order_db'],
  ['postgres: postgres stock_db 127.0.0.1(1) idle in transaction', 'postgres stock_db'],
  ['postgres: walwriter ', 'postgres writers'],
  ['postgres: checkpointer ', 'postgres writers'],
  ['postgres: background writer ', 'postgres writers'],
  ['postgres: autovacuum worker stock_db', 'postgres rest'],
  ['', 'postgres rest'],
])('assigns the process "%s" to its group', (title, expected) => {
  expect(workOf(title)).toBe(expected);
});

it('adds up the CPU time of all processes of a group, including processes started between the readings', () => {
  const before = new Map([
    ['order\n1', 100],
    ['postgres order_db\n7', 50],
  ]);
  const after = new Map([
    ['order\n1', 130],
    ['postgres order_db\n7', 55],
    ['postgres order_db\n8', 4],
  ]);
  expect(cpuSpent(before, after)).toEqual(
    new Map([
      ['order', 30],
      ['postgres order_db', 9],
    ]),
  );
});

it('adds the totals of PostgreSQL and of the system, without Kafka', () => {
  const services = [
    ['gateway', 1],
    ['order', 2],
    ['kafka', 1_000],
  ] as const;
  const postgres = [
    ['postgres order_db', 10],
    ['postgres writers', 20],
  ] as const;
  const totals = withTotals(new Map([...services, ...postgres]));
  expect(Object.fromEntries(totals)).toMatchObject({
    'postgres, total': 30,
    'system, total': 33,
    kafka: 1_000,
  });
  expect([...withTotals(new Map(services)).keys()]).toEqual(['gateway', 'order', 'kafka']);
});
