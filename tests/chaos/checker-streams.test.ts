import { expect, it } from 'vitest';
import type { History } from './history.ts';
import { at, breachesAfter, type Mutable, record } from './history-fixture.ts';

it.each<[string, (history: Mutable<History>) => void]>([
  [
    'a stream whose versions go back',
    ({ observed }) => void at(observed.watchers, 0).seen.reverse(),
  ],
  ['a stream without the last state', ({ observed }) => void at(observed.watchers, 0).seen.pop()],
  [
    'a stream without events',
    ({ observed }) => {
      at(observed.watchers, 0).seen.length = 0;
    },
  ],
  [
    'a stream that the server ended',
    ({ observed }) => {
      at(observed.watchers, 0).ended = 'gone';
    },
  ],
  ['a change that was not published', ({ records }) => void records['stock_changed']?.splice(1, 1)],
  [
    'a change published with another quantity',
    ({ records }) => {
      const value = { id: 'tea', version: 3, quantity: 8 };
      records['stock_changed']?.push(record('stock_changed', 3, value));
    },
  ],
  [
    'an order stream that shows two final states',
    ({ observed }) => at(observed.orderWatchers, 0).seen.splice(1, 0, 'REJECTED'),
  ],
  [
    'an order stream that shows PENDING after the decision',
    ({ observed }) => at(observed.orderWatchers, 0).seen.splice(2, 0, 'PENDING'),
  ],
  [
    'an order stream that ends with another state',
    ({ observed }) => void at(observed.orderWatchers, 0).seen.splice(1),
  ],
  [
    'an order stream that does not complete',
    ({ observed }) => {
      at(observed.orderWatchers, 0).completed = false;
    },
  ],
  [
    'an order stream with an error',
    ({ observed }) => void at(observed.orderWatchers, 0).errors.push('gone'),
  ],
  [
    'a stream with another quantity',
    ({ observed }) => {
      at(at(observed.watchers, 0).seen, 3).quantity = 8;
    },
  ],
])('the check of guarantee 5 reports %s', (_what, damage) => {
  expect(breachesAfter(damage)).toContainEqual(expect.stringMatching(/^5: /));
});
