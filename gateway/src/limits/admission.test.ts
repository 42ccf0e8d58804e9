import { expect, it } from 'vitest';
import { assertJsonValue } from './admission.ts';

const nested = (depth: number): unknown =>
  JSON.parse(`${'[{"a":'.repeat(depth / 2)}[]${'}]'.repeat(depth / 2)}`);

it('accepts values nested up to the limit, and rejects deeper ones', () => {
  for (const plain of [undefined, null, 1, 'x', [], {}, nested(10)]) assertJsonValue(plain, 10);
  expect(() => assertJsonValue(nested(12), 10)).toThrow(
    "The request's nesting is more than 10, above the limit of 10",
  );
});

it('checks any nesting and any number of elements without a stack overflow', () => {
  expect(() => assertJsonValue(nested(200_000), 64)).toThrow(/nesting/);
  const wide = Array.from({ length: 100_000 }, () => [1]);
  expect(() => assertJsonValue(wide, 64)).not.toThrow();
});
