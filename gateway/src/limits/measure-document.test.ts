import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { measureDocument } from './measure-document.ts';

const cases: [string, string, object][] = [
  ['fields inside each other', '{ a { b { c } } d }', { depth: 3, rootFields: 2 }],
  ['aliases at any depth', '{ x: a { y: b c } }', { aliases: 2 }],
  [
    'no depth for inline fragments',
    '{ ... on Q { a { ... { b } } } }',
    { depth: 2, rootFields: 1, fragments: 0 },
  ],
  [
    'a fragment once for each of its spreads',
    '{ a { ...F } b { ...F } } fragment F on T { x: c @skip(if: true) }',
    { depth: 2, aliases: 2, directives: 2, fragments: 2 },
  ],
  [
    'fields with a selection set',
    '{ a { b } ...F ...F c } fragment F on Q { d { e { f } } }',
    { objectFields: 5 },
  ],
  [
    'directives at every location',
    'query ($v: Int @a) @b { c @d ...F @e ... @f { g } } fragment F on T @h { i }',
    { directives: 6 },
  ],
  [
    'all operations of a document',
    'query A { a { b } } query B { c d }',
    { depth: 2, rootFields: 3 },
  ],
];

describe('measureDocument', () => {
  it.each(cases)('counts %s', (_what, text, figures) => {
    expect(measureDocument(parse(text))).toMatchObject(figures);
  });

  it('takes linear time when each fragment spreads the next one twice', () => {
    const doubling = Array.from(
      { length: 300 },
      (_, n) => `fragment F${n} on T { a: x ...F${n + 1} ...F${n + 1} }`,
    );
    const from = performance.now();
    const { aliases } = measureDocument(
      parse(`{ ...F0 } ${doubling.join(' ')} fragment F300 on T { x }`),
    );
    expect(aliases).toBeGreaterThan(1e80);
    expect(performance.now() - from).toBeLessThan(1_000);
  });

  it('leaves cycles of fragments to validation', () => {
    const text = '{ ...A } fragment A on T { x ...B } fragment B on T { y ...A }';
    expect(measureDocument(parse(text))).toMatchObject({ depth: 1, fragments: 3 });
  });
});
