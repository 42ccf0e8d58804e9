import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from './document-cache.ts';

it('evicts the oldest documents above the limit of tokens', () => {
  const kept = createDocumentCache(100);
  const texts = Array.from({ length: 40 }, (_, index) => `{ a b${index} c }`);
  for (const text of texts) kept.set(text, parse(text));
  // Five tokens each; the tokens for the start and the end of a text do not count.
  expect(kept.size).toBe(20);
  expect([...kept.keys()].sort()).toEqual(texts.slice(20).sort());
});

it('does not cache a document that alone is above the limit', () => {
  const kept = createDocumentCache(100);
  const text = `{ ${'a '.repeat(100)} }`;
  kept.set(text, parse(text));
  expect(kept.size).toBe(0);
});
