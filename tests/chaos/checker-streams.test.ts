import { expect, it } from 'vitest';
import { at, type Breakable, breachesOf } from './break-history.ts';
import type { History } from './history.ts';
import { record } from './sound-history.ts';

it.each<[string, (history: Breakable<History>) => void]>([
  ['a stream that goes back', ({ told }) => void at(told.watchers, 0).seen.reverse()],
  ['a stream that misses the last state', ({ told }) => void at(told.watchers, 0).seen.pop()],
  [
    'a stream that shows nothing',
    ({ told }) => {
      at(told.watchers, 0).seen.length = 0;
    },
  ],
  [
    'a stream that was ended',
    ({ told }) => {
      at(told.watchers, 0).ended = 'gone';
    },
  ],
  ['a change that was never told', ({ records }) => void records['stock_changed']?.splice(1, 1)],
  [
    'a change that was told with another quantity',
    ({ records }) => {
      const value = { id: 'tea', version: 3, quantity: 8 };
      records['stock_changed']?.push(record('stock_changed', 3, value));
    },
  ],
  [
    "an order's stream that goes back",
    ({ told }) => at(told.orderWatchers, 0).seen.splice(1, 0, 'REJECTED'),
  ],
  [
    "an order's stream that shows PENDING after the decision",
    ({ told }) => at(told.orderWatchers, 0).seen.splice(2, 0, 'PENDING'),
  ],
  [
    "an order's stream that ends with another state",
    ({ told }) => void at(told.orderWatchers, 0).seen.splice(1),
  ],
  [
    "an order's stream that does not end",
    ({ told }) => {
      at(told.orderWatchers, 0).completed = false;
    },
  ],
  [
    "an order's stream that was told of an error",
    ({ told }) => void at(told.orderWatchers, 0).errors.push('gone'),
  ],
  [
    'a stream that shows another quantity',
    ({ told }) => {
      at(at(told.watchers, 0).seen, 1).quantity = 8;
    },
  ],
])('guarantee 5: sees %s', (_what, damage) => {
  expect(breachesOf(damage)).toContainEqual(expect.stringMatching(/^5: /));
});
