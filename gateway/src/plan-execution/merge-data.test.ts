import { expect, it } from 'vitest';
import { mergeInto } from './merge-data.ts';

it.each([
  ['objects', { a: { x: 1 } }, { a: { y: 2 } }, { a: { x: 1, y: 2 } }],
  ['lists', { a: [{ x: 1 }, { x: 2 }] }, { a: [{ y: 1 }, null] }, { a: [{ x: 1, y: 1 }, null] }],
  [
    'lists of lists',
    { a: [[{ x: 1 }], []] },
    { a: [[{ y: 1 }], []] },
    { a: [[{ x: 1, y: 1 }], []] },
  ],
  ['lists of other lengths', { a: [[{ x: 1 }]] }, { a: [[{ y: 1 }, {}]] }, { a: [[{ y: 1 }, {}]] }],
])('merges %s', (_what, target, source, merged) => {
  expect(mergeInto(structuredClone(target), source)).toEqual(merged);
});
