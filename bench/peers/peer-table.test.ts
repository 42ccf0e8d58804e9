import { expect, it } from 'vitest';
import { PeerTable } from './peer-table.ts';

it('renders medians with their spread, and a dash for what was not measured', () => {
  const table = new PeerTable();
  const cpu = (value: number) => [{ name: 'CPU', value, digits: 2 }];
  for (const value of [1, 3, 2]) table.note('list', 'a', cpu(value));
  table.note('list', 'b', cpu(Number.NaN));
  table.note('live', 'a', [{ name: 'p99', value: 5, digits: 0 }]);
  expect(table.render(['a', 'b']).trim().split('\n')).toEqual([
    '| | a | b |',
    '| --- | ---: | ---: |',
    '| **list** | | |',
    '| CPU | 2.00 (1.00–3.00) | – |',
    '| **live** | | |',
    '| p99 | 5 | – |',
  ]);
});
