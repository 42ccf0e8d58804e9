import { expect, it } from 'vitest';
import { findStale } from './compose.ts';

it('composes the subgraphs to the committed supergraph', async () => {
  expect(await findStale()).toBeUndefined();
});
