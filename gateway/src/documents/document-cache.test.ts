import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { createDocumentCache } from './document-cache.ts';

it('keeps as many documents as their tokens allow, the newest', () => {
  const kept = createDocumentCache(100);
  const texts = Array.from({ length: 40 }, (_, index) => `{ a b${index} c }`);
  for (const text of texts) kept.set(text, parse(text));
  // Five tokens each; the start and the end of a text count as none.
  expect(kept.size).toBe(20);
  expect([...kept.keys()].sort()).toEqual(texts.slice(20).sort());
});

it('keeps none that is larger than all may be', () => {
  const kept = createDocumentCache(100);
  const text = `{ ${'a '.repeat(100)} }`;
  kept.set(text, parse(text));
  expect(kept.size).toBe(0);
});
