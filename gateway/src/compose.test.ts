import { expect, it } from 'vitest';
import { findStale } from './compose.ts';

it('finds no difference between the composed and the committed supergraph', async () => {
  expect(await findStale()).toBeUndefined();
});
