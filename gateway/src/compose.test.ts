import { expect, it } from 'vitest';
import { findStale } from './compose.ts';
import { readKeyPlaces } from './idempotency/key-places.ts';
import { loadSupergraph } from './supergraph.ts';

it('finds no difference between the composed and the committed supergraph', async () => {
  expect(await findStale()).toBeUndefined();
});

it('composes a mark for the idempotency key of every mutation', async () => {
  const places = readKeyPlaces(await loadSupergraph());
  expect(places.size).toBeGreaterThan(4);
  const unmarked = [...places].filter(([, place]) => place === undefined);
  expect(unmarked.map(([mutation]) => mutation)).toEqual([]);
});
