import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from './document-cache.ts';

it('evicts the oldest documents when the limit of tokens is exceeded', () => {
  const kept = createDocumentCache(100);
  const texts = Array.from({ length: 40 }, (_, index) => `{ a b${index} c }`);
  for (const text of texts) kept.set(text, parse(text));
  // Each text counts as five tokens. The tokens for its start and end do not count.
  expect(kept.size).toBe(20);
  expect([...kept.keys()].sort()).toEqual(texts.slice(20).sort());
});

it('does not cache a document that exceeds the limit on its own', () => {
  const kept = createDocumentCache(100);
  const text = `{ ${'a '.repeat(100)} }`;
  kept.set(text, parse(text));
  expect(kept.size).toBe(0);
});
