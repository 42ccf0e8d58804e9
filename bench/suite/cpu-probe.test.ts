import { expect, it } from 'vitest';
import { cpuSpent, workOf } from './cpu-probe.ts';

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
