import type { LiveEvent } from '@gudang/client';
import { describe, expect, it } from 'vitest';
import { type StockChanged, StreamChecker } from './stream-checker.ts';

const change = (version: number, conflated = 0, kind = 'ORDERED'): LiveEvent<StockChanged> => ({
  data: { stockChanged: { kind, stock: { id: 'a', version } } },
  cursor: `c${version}`,
  conflated,
});
const row = (version: number) => change(version, 0, 'SNAPSHOT');
const marker = (phase: 'begin' | 'end', reset = false): LiveEvent<StockChanged> => ({
  data: null,
  cursor: null,
  conflated: 0,
  snapshot: { phase, complete: true, reset },
});

describe('StreamChecker', () => {
  it.each([
    ['each change', [change(1), change(2)], []],
    ['conflated changes', [change(1), change(4, 2)], []],
    [
      'a snapshot instead of changes',
      [change(1), marker('begin'), row(7), marker('end'), change(8)],
      [],
    ],
    [
      'a lower version after a reset',
      [change(5, 4), marker('begin', true), row(2), marker('end')],
      [],
    ],
    [
      'a change within a snapshot',
      [change(1), marker('begin'), change(2)],
      ['ORDERED within a snapshot: a'],
    ],
    ['a row outside a snapshot', [change(1), row(2)], ['SNAPSHOT outside a snapshot: a']],
    ['a lost change', [change(1), change(3)], ['lost: a from 1 to 3, 0 conflated']],
    [
      'a change that is counted twice',
      [change(1), change(2, 1)],
      ['lost: a from 1 to 2, 1 conflated'],
    ],
    ['a change that is shown twice', [change(1), change(1)], ['shown twice: a at 1']],
    ['a step back', [change(3, 2), change(2)], ['step back: a from 3 to 2']],
    [
      'a step back in a snapshot',
      [change(3, 2), marker('begin'), row(2)],
      ['step back: a from 3 to 2 in a snapshot'],
    ],
  ] as const)('judges %s', (_what, events, expected) => {
    const checker = new StreamChecker();
    for (const event of events) checker.receive(event);
    expect(checker.violations).toEqual(expected);
  });
});
