import { expect, it } from 'vitest';
import { createScaleFigures } from './scale-figures.ts';

it('prints medians and spreads of both systems in a fixed order', () => {
  const figures = createScaleFigures();
  for (const value of [3, 1, 2.0004]) figures.note('an order, ms', 3, value);
  for (const value of [4, 4]) figures.note('an order, ms', 1, value);
  for (const replicas of [1, 3]) figures.note('a second of idling', replicas, 1 - replicas / 2);
  figures.note('one relay, events/s', 1, 12_345.6);
  expect(figures.lines()).toEqual([
    'an order, ms: 4 (4 – 4) → 2 (1 – 3), 0.5 times',
    'a second of idling: 0.5 → -0.5',
    'one relay, events/s: 12300',
  ]);
});
